"""What `apply` does to the running machine: mounts over /etc, the host name, the network's units."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from .places import Places
from .record import Record


def ran(thing: str, *words: str | Path, seconds: float,
        environment: Mapping[str, str] | None = None, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """What a program said, whatever its exit code. thing: its name for people; environment: None for this process's;
    given: what it reads from standard input.

    Raises OSError where the program does not end in time.
    """
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=seconds, check=False, env=environment,
                              input=given)
    except subprocess.TimeoutExpired:
        raise OSError(f"{thing}: no answer in {seconds:g} s") from None


def call(*words: str | Path, seconds: float = 60, must: bool = True) -> None:
    """Run a program. Raises OSError where it must succeed and does not, and where it does not end in time."""
    thing = Path(words[0]).name
    done = ran(thing, *words, seconds=seconds)
    if done.returncode and must:
        said = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OSError(f"{thing}: exit code {done.returncode}: {said}")


def mounted(places: Places) -> list[str]:
    """What is mounted now, lowest first."""
    table = (places.root / "proc" / "self" / "mountinfo").read_text(encoding="utf-8")
    return [line.split()[4] for line in table.splitlines()]


def begin(places: Places, names: Iterable[str]) -> None:
    """Take away what an earlier `apply` of this boot mounted: below it lies the slot's own."""
    for name in names:
        for _ in range(mounted(places).count(str(places.etc / name))):
            call("umount", places.etc / name, must=False)


def make_so(places: Places, names: Iterable[str], settings: Record) -> None:
    """Mount, name, and start what the network needs. Each is tried, whatever became of those before."""
    before = _read(places.etc / "machine-id")
    troubles = []
    for name in names:
        made = places.run / "etc" / name
        if made.exists():
            try:
                call("mount", "--bind", made, places.etc / name)
            except OSError as error:
                troubles.append(str(error))
    steps: list[Callable[[], None]] = [
        lambda: _journal(places, before), lambda: _host_name(places), lambda: _network(places, settings)]
    for step in steps:
        try:
            step()
        except OSError as error:
            troubles.append(str(error))
    if troubles:
        raise OSError("; ".join(troubles))


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""


def _journal(places: Places, before: str) -> None:
    """The journal of this boot began under another machine id; under the new one journalctl would not show it."""
    now, journals = _read(places.etc / "machine-id"), places.root / "run" / "log" / "journal"
    if before and before != now and (journals / before).is_dir() and not (journals / now).exists():
        (journals / before).rename(journals / now)
        call("systemctl", "restart", "systemd-journald.service")


def _host_name(places: Places) -> None:
    (places.root / "proc" / "sys" / "kernel" / "hostname").write_bytes((places.run / "etc" / "hostname").read_bytes())


def _network(places: Places, settings: Record) -> None:
    """Let netplan write its units. They are started without waiting: we come before the network."""
    if not places.netplan.exists():
        return
    try:
        call(places.netplan_generate)
    except OSError as error:
        places.netplan.unlink()  # wired ports go by DHCP then
        call(places.netplan_generate)
        raise OSError(f"the network settings do not serve in this slot: {error}") from None
    call("systemctl", "daemon-reload")
    units = sorted(path.name for path in (places.root / "run" / "systemd" / "system").glob("netplan-*.service"))
    if units:
        call("systemctl", "start", "--no-block", *units)
    if settings.text("country"):
        call("iw", "reg", "set", settings.text("country"), must=False)
