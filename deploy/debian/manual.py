"""Prints the manual page edge-audio(1), from the program's own list of commands. Usage: manual.py YYYY-MM-DD"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from edge import __version__
from edge.cli import COMMANDS

FILES = {
    "/etc/edge-audio/edge-audio.toml": "the settings of the service",
    "/etc/edge-audio/credentials/mqtt-password": "the broker's password, for root alone",
    "/usr/share/edge-audio/edge-audio.toml": "every setting with its default",
    "/var/lib/edge-audio": "models, what was taught, the journal; of the user edge-audio",
}


def escaped(text: str) -> str:
    """Text as roff takes it: no hyphen becomes another sign, no line a request."""
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def listed(entries: dict[str, str], font: str) -> str:
    return "".join(f".TP\n.{font} {escaped(name)}\n{escaped(line)}\n" for name, line in entries.items())


def page(date: str) -> str:
    return (f'.TH EDGE\\-AUDIO 1 "{date}" "edge\\-audio {__version__}"\n'
            ".SH NAME\nedge\\-audio \\- hears sound events and says so over MQTT and on GPIO pins\n"
            ".SH SYNOPSIS\n.B edge\\-audio\n.I COMMAND\n.RI [ options ]\n"
            ".SH DESCRIPTION\nThe service runs\n.BR \"edge\\-audio run\" .\n"
            "Each command explains itself, with examples:\n.BI \"edge\\-audio \" COMMAND \" \\-\\-help\" .\n"
            f".SH COMMANDS\n{listed(COMMANDS, 'B')}"
            ".SH EXIT STATUS\n0: as asked. 1: a failure, or a found difference. 2: bad usage, settings or input.\n"
            f".SH FILES\n{listed(FILES, 'I')}"
            ".SH SEE ALSO\n.BR systemctl (1),\n.BR journalctl (1),\n.BR mosquitto_sub (1)\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"manual.py: found {len(sys.argv) - 1} arguments; wanted a date, as 2026-11-29")
    print(page(sys.argv[1]), end="")
