"""What an emulated machine's monitor tells of its hardware, from outside."""

from __future__ import annotations

import json
import socket

from tests.image.machine import Machine

SECONDS = 60.0


def word_at(machine: Machine, address: int) -> int:
    """The 32-bit word at a physical address of a machine of the kind raspi3b, as a register says it now."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(SECONDS)
        line.connect(f"{machine.disk.path}.qmp")
        with line.makefile("rw", encoding="utf-8") as talk:
            talk.readline()    # its greeting
            asked = {"command-line": f"xp /1wx {address:#x}"}
            for command, given in (("qmp_capabilities", {}), ("human-monitor-command", asked)):
                talk.write(json.dumps({"execute": command, "arguments": given}) + "\n")
                talk.flush()
                while "return" not in (answer := json.loads(talk.readline())):
                    assert "error" not in answer, answer
    return int(answer["return"].split(":")[1], 16)
