"""Files that a power cut leaves whole: the old content or the new one, never half of each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

Span = tuple[int, int]
"""Where bytes lie in a file: the first one's place, and how many."""
sync = os.fsync


def write(path: Path, content: bytes, mode: int = 0o644, like: Path | None = None) -> None:
    """Write a file beside, sync, and put it in place. The folder is made where it is missing. like: whose owner it gets.

    vfat gives a file that was renamed an empty entry, and fills the entry in only when the file itself is synced again.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(descriptor, mode)
        if like is not None and os.geteuid() == 0:
            os.fchown(descriptor, like.stat().st_uid, like.stat().st_gid)
        _write_all(descriptor, content)
        sync(descriptor)
        os.replace(beside, path)  # noqa: PTH105 - a test cuts the power here
        sync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def write_if_other(path: Path, content: bytes, mode: int = 0o644) -> bool:
    """Like `write`, but a file that holds the content already is left alone. Returns whether it was written."""
    try:
        if path.read_bytes() == content:
            return False
    except OSError:
        pass
    write(path, content, mode)
    return True


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content):]


def overwrite(path: Path, content: bytes) -> None:
    """Write over a file of the same length, in its own clusters: a new file would leave the old bytes on the card."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        _write_all(descriptor, content)
        sync(descriptor)
    finally:
        os.close(descriptor)


def blanked(content: bytes, spans: Sequence[Span]) -> bytes:
    """The content with an x for every byte of the spans."""
    out = bytearray(content)
    for start, length in spans:
        out[start:start + length] = b"x" * len(out[start:start + length])
    return bytes(out)
