"""Prints what pip shall unpack into the package. Usage: needs.py MACHINE PYTHON, such as needs.py aarch64 3.13

One requirement a line: those of setup.cfg, and what these import. Not PyAudio, for Debian's serves, and not what wheels name
and the appliance never imports: LiteRT's compilers want 7 MB more.
"""

from __future__ import annotations

import sys
from configparser import ConfigParser
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement

IMPORTED = ("flatbuffers", "colorzero")
"""By `edge-audio model` (with LiteRT's schema), and by gpiozero."""


def needs(machine: str, python: str) -> list[str]:
    """Requirements for a machine (as `uname -m` says) and a Python (as "3.13"), as pip takes them."""
    settings = ConfigParser()
    settings.read(Path(__file__).resolve().parents[2] / "setup.cfg")
    there = {"platform_machine": machine, "sys_platform": "linux", "python_version": python, "extra": ""}
    wanted = [Requirement(line) for line in settings["options"]["install_requires"].strip().splitlines()]
    return [*(f"{each.name}{each.specifier}" for each in wanted
              if each.name != "pyaudio" and (each.marker is None or each.marker.evaluate(there))), *IMPORTED]


if __name__ == "__main__":
    print(*needs(*sys.argv[1:]), sep="\n")
