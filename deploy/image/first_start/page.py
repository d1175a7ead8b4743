"""[page] of edge-audio.toml: the page in the browser. It starts only where the settings in force have the table, and serves
the network only with a password, which the owner writes there and the board takes away."""

from __future__ import annotations

import ipaddress
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .durable import write
from .errors import Refused, without
from .live import ran
from .places import Places

PASSWORD, TOKEN = "page-password.json", "page-metrics-token"
"""What `edge-audio page --set-password` leaves in a state directory: never the password itself."""
NETWORK = "0.0.0.0"
"""Where the page serves that has a password, unless the settings say."""
SECONDS = 120

Keeper = Callable[[str], dict[str, bytes]]
"""A password -> the files that the page keeps of it, by name. Refused for one that it does not take; OSError where nobody
can tell."""


@dataclass(frozen=True)
class Asked:
    """What the settings in force ask for. address: without the host's name."""

    bind: str
    address: str
    has_password: bool

    @property
    def is_local(self) -> bool:
        """Whether only programs of the board itself could come in."""
        try:
            return ipaddress.ip_address(self.bind).is_loopback
        except ValueError:
            return False

    @property
    def starts(self) -> bool:
        return self.has_password or self.is_local


def asked(places: Places) -> Asked | None:
    """What stands in the settings in force; None where they have no [page]."""
    try:
        table = tomllib.loads(places.settings.read_text(encoding="utf-8")).get("page")
    except (OSError, ValueError):
        return None
    if not isinstance(table, dict):
        return None
    return Asked(str(table.get("bind", "127.0.0.1")), f":{table.get('port', 8080)}{table.get('prefix', '')}/",
                 is_kept(places))


def is_kept(places: Places) -> bool:
    """Whether the page has a password."""
    path = places.state / PASSWORD
    return path.exists() and path.stat().st_size > 0


def said(places: Places, host: str) -> str:
    """What the report says of the page; nothing where the settings do not ask for one."""
    found = asked(places)
    if found is None:
        return ""
    if not found.starts:
        return (f"The page is NOT opened: [page] bind is {found.bind}, and there is no password. "
                'Write password = "..." below [page].')
    if found.is_local:
        return f"The page serves the board itself alone ([page] bind): http://127.0.0.1{found.address}"
    return f"The page: http://{host}.local{found.address} It asks for the password."


def edge_audio_keeper(program: Path, places: Places) -> Keeper:
    """What the page of the slot that runs makes of a password. The password itself goes by standard input."""
    def keeper(password: str) -> dict[str, bytes]:
        folder = places.run / "page"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            done = ran("edge-audio page", program, "page", "--set-password", "--state-dir", folder, seconds=SECONDS,
                       given=f"{password}\n")
            if done.returncode == 2:
                said = (done.stderr.strip().splitlines() or ["no reason given"])[-1].removeprefix("edge-audio: ")
                raise Refused("", said=f"[page] {without(said, {password})}", found="", wanted="")
            if done.returncode:
                raise OSError(f"edge-audio page: exit code {done.returncode}")
            return {name: (folder / name).read_bytes() for name in (PASSWORD, TOKEN)}
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return keeper


def put(kept: dict[str, bytes], places: Places) -> None:
    """Keep them for the service's user. A token that is there stays: some Prometheus knows it."""
    if not places.state.exists():
        places.state.mkdir(mode=0o700, parents=True)
    for name, content in kept.items():
        if name != TOKEN or not (places.state / TOKEN).exists():
            write(places.state / name, content, 0o600, like=places.state)
