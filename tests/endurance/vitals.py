"""What the kernel says of a process: memory, threads, descriptors, and bytes written. Linux only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Vitals:
    """rss: resident memory in kB, of which anonymous is the process's own, not pages of files. threads, descriptors: how
    many. wrote: bytes for the disk, in whole pages (`write_bytes`), since it began."""

    rss: int
    anonymous: int
    threads: int
    descriptors: int
    wrote: int


def vitals(process: int) -> Vitals:
    """As they are now."""
    folder = Path(f"/proc/{process}")
    status, io = (dict(line.split(":", 1) for line in (folder / name).read_text(encoding="utf-8").splitlines())
                  for name in ("status", "io"))
    return Vitals(rss=_kilobytes(status["VmRSS"]), anonymous=_kilobytes(status["RssAnon"]), threads=int(status["Threads"]),
                  descriptors=len(list((folder / "fd").iterdir())), wrote=int(io["write_bytes"]))


def _kilobytes(text: str) -> int:
    return int(text.removesuffix("kB"))
