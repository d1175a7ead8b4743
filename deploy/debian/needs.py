"""Prints what pip shall unpack into the package. Usage: needs.py MACHINE PYTHON [FOLDER], such as needs.py aarch64 3.13

One requirement a line: those of setup.cfg with the page's, and what these import. Not PyAudio, for Debian's serves, and
not what wheels name and the appliance never imports: LiteRT's compilers want 7 MB more. With FOLDER, into which they were
unpacked: prints what the page's libraries still want there, and ends with 1 where that is anything.
"""

from __future__ import annotations

import sys
from configparser import ConfigParser
from importlib.metadata import distributions
from pathlib import Path

from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

IMPORTED = ("flatbuffers", "colorzero")
"""By `edge-audio model` (with LiteRT's schema), and by gpiozero."""
OF_THE_PAGE = ("aiohappyeyeballs", "aiosignal", "attrs", "frozenlist", "idna", "multidict<8", "propcache", "yarl<2",
               'typing-extensions; python_version < "3.13"')
"""By aiohttp. pip would go by the Python that it runs on, not by the one that it unpacks for."""


def _chosen(lines: list[str], machine: str, python: str) -> list[Requirement]:
    there = {"platform_machine": machine, "sys_platform": "linux", "python_version": python, "extra": ""}
    wanted = [Requirement(line) for line in lines if line]
    return [each for each in wanted if each.name != "pyaudio" and (each.marker is None or each.marker.evaluate(there))]


def _settings() -> ConfigParser:
    settings = ConfigParser()
    settings.read(Path(__file__).resolve().parents[2] / "setup.cfg")
    return settings


def needs(machine: str, python: str) -> list[str]:
    """Requirements for a machine (as `uname -m` says) and a Python (as "3.13"), as pip takes them."""
    settings = _settings()
    lines = [*settings["options"]["install_requires"].splitlines(), *settings["options.extras_require"]["page"].splitlines()]
    return [*(f"{each.name}{each.specifier}" for each in _chosen([*lines, *OF_THE_PAGE], machine, python)), *IMPORTED]


def unmet(folder: Path, machine: str, python: str) -> list[str]:
    """What the page's libraries in this folder require, and those require, that is not there."""
    there = {canonicalize_name(each.metadata["Name"]): each for each in distributions(path=[str(folder)])}
    left = _chosen(_settings()["options.extras_require"]["page"].splitlines(), machine, python)
    missing, seen = [], set()
    while left:
        wanted = left.pop()
        found = there.get(name := canonicalize_name(wanted.name))
        if found is None or found.version not in wanted.specifier:
            missing.append(f"{wanted.name}{wanted.specifier}")
        elif name not in seen:
            left += _chosen(found.requires or [], machine, python)
        seen.add(name)
    return missing


if __name__ == "__main__":
    machine, python, *folder = sys.argv[1:]
    said = unmet(Path(folder[0]), machine, python) if folder else needs(machine, python)
    print(*said, sep="\n")
    sys.exit(bool(folder and said))
