"""A card in a folder: the boot partition as an owner sees it, the data partition, and enough of a slot."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from deploy.image.first_start import apply as applying
from deploy.image.first_start.appliance import Judge
from deploy.image.first_start.page import Keeper
from deploy.image.first_start.places import Places
from deploy.image.first_start.take import take
from edge.page.password import set_password

PASSWD = ("root:x:0:0:root:/root:/bin/bash\nmessagebus:x:101:102::/nonexistent:/usr/sbin/nologin\n"
          "edge-audio:x:990:990::/:/bin/false\n")
GROUP = "root:x:0:\nadm:x:4:\nsudo:x:27:\naudio:x:29:edge-audio\nusers:x:100:\ngpio:x:980:edge-audio\nedge-audio:x:990:\n"


def serves(settings: Path, credentials: Path) -> list[str]:
    """A judge that takes everything."""
    return []


def keeps(password: str) -> dict[str, bytes]:
    """What the page keeps of a password, made in a moment: with scrypt's cost at its lowest."""
    with tempfile.TemporaryDirectory() as folder:
        set_password(Path(folder), password, cost=2)
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


class Card:
    """One board's card. Owner's files are written with `write`, and read with `read`."""

    def __init__(self, root: Path) -> None:
        self.places = Places(root)
        for folder in (self.places.boot, self.places.data, self.places.etc / "skel", self.places.zones / "Europe"):
            folder.mkdir(parents=True)
        (self.places.zones / "Europe" / "London").touch()
        (self.places.etc / "skel" / ".profile").write_text("# profile\n")
        (self.places.etc / "os-release").write_text('NAME="Debian"\nIMAGE_VERSION=1.2.3\n')
        own = {"passwd": PASSWD, "group": GROUP, "shadow": "root:*::0:99999:7:::\nedge-audio:!*::::::\n",
               "gshadow": "root:*::\nadm:*::\nsudo:*::\n"}
        for name, content in own.items():
            (self.places.etc / name).write_text(content)

    def write(self, **files: str | bytes) -> None:
        """user_data="..." writes user-data; settings="..." writes edge-audio.toml."""
        for name, content in files.items():
            name = {"settings": "edge-audio.toml", "cmdline": "cmdline.txt"}.get(name, name.replace("_", "-"))
            path = self.places.boot / name
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def take(self, judge: Judge = serves, keeper: Keeper = keeps) -> bool:
        return take(self.places, judge, keeper)

    def apply(self) -> int:
        return applying.apply(self.places)

    def read(self, name: str) -> str:
        return (self.places.boot / name).read_bytes().decode()

    @property
    def report(self) -> str:
        """The report with its lines joined, for it breaks long ones."""
        return " ".join(self.places.report.read_text().split())

    @property
    def record(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.places.record.read_bytes())
        return record

    def made(self, name: str) -> str:
        """A file that `apply` made for this boot."""
        return (self.places.run / name).read_text()

    def kept(self) -> dict[str, Any]:
        """Everything that decides how the board starts."""
        record = {key: value for key, value in self.record.items() if key != "files"}
        return {**record, "settings": self.places.settings.read_bytes(), "password": self.places.password.read_bytes()}
