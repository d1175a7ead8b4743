"""Whether a journal's write-ahead log lacks what was committed to it.

SQLite keeps an index of the log (`-shm`), which outlives a kill, though not a power cut, and says how many frames were
committed. Its format: https://sqlite.org/walformat.html, section 2.1.
"""

from __future__ import annotations

import os
import struct
from contextlib import suppress
from pathlib import Path

_HEAD, _COPY, _BACKFILLED = 48, 96, 96
"""The index's head; where its copy ends; where it says how many frames the file itself has got."""
_LOG_HEAD, _FRAME_HEAD = 32, 24


def is_cut(path: Path) -> bool:
    """Whether the log of the journal at `path` is shorter than its index says. Nobody may have the journal
    open. False where there is no index, or where the index belongs to another log."""
    index = _beginning(path.with_name(path.name + "-shm"), _BACKFILLED + 4)
    head = index[:_HEAD]
    if len(index) < _BACKFILLED + 4 or head != index[_HEAD:_COPY] or not head[12]:
        return False
    page, frames = struct.unpack_from("=HI", head, 14)
    backfilled = struct.unpack_from("=I", index, _BACKFILLED)[0]
    log = path.with_name(path.name + "-wal")
    begins = _beginning(log, _LOG_HEAD)
    if frames <= backfilled or (len(begins) == _LOG_HEAD and begins[16:24] != head[32:40]):
        return False
    size = 0
    with suppress(OSError):
        size = log.stat().st_size
    return bool(size < _LOG_HEAD + frames * (_FRAME_HEAD + (65_536 if page == 1 else page)))


def _beginning(path: Path, size: int) -> bytes:
    """The first bytes of a file; none where it is not there."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(handle, size)
    finally:
        os.close(handle)
