"""What the owner said of events, read from what was taught without NumPy: the page is a small process that opens no model.

A step is a zip of arrays. Of these only the words are read: one text, whose letters take four bytes each.
"""

from __future__ import annotations

import logging
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from edge.errors import ModelError
from edge.model.embedded import is_path
from edge.model.table import json_table
from edge.model.taught_steps import OLDEST, SCHEMA, taught_folder, taught_steps

LOG = logging.getLogger(__name__)

WORDS = "about.npy"
"""The member of a step that holds its words."""
MOST_BYTES = 32 << 20
"""Of these words, unpacked: a thousand judgements take one megabyte."""
_FAULTS = (OSError, EOFError, LookupError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)
Judgement = Literal["right", "wrong"]
Judgements = Mapping[tuple[str, str], Judgement]
"""By an event's id and the target that it was judged as."""


def judged_in(step: Path) -> Judgements:
    """What one step says of events. Raises ModelError for a file that cannot be read."""
    wanted = "what was taught (edge-audio teach --undo goes back a step)"
    try:
        with zipfile.ZipFile(step) as arrays:
            if (size := arrays.getinfo(WORDS).file_size) > MOST_BYTES:
                raise ValueError(f"{size} bytes of words")
            words = _text(arrays.read(WORDS))
    except _FAULTS as error:
        raise ModelError(str(step), found=f"nothing that can be read ({error})", wanted=wanted) from error
    about = json_table(words, str(step), schema=SCHEMA, oldest=OLDEST, wanted="what was taught")
    return {(one.get("event", str), one.get("target", str)): "right" if one.get("right", bool) else "wrong"
            for one in about.tables("judgements")}


class JudgedEvents:
    """What was said of a model's events, as it stands now. From any thread."""

    def __init__(self, state_dir: Path, model: str) -> None:
        """model: by its name; what was said to one that is named by its path is not kept for it."""
        self._folder = None if is_path(model) else taught_folder(state_dir, model)
        self._known: tuple[object, Judgements] = (None, {})

    def now(self) -> Judgements:
        """The same value until a step is added or taken back, for only then a file is read. Nothing, and a line in the log,
        where it cannot be read: nobody misses an event for that."""
        stamp: object = None
        try:
            if self._folder is not None and (steps := taught_steps(self._folder)):
                found = steps[-1].stat()
                stamp = (steps[-1].name, found.st_ino, found.st_size, found.st_mtime_ns)
        except (ModelError, OSError) as error:
            stamp = str(error)
        if stamp != self._known[0]:
            self._known = (stamp, self._read(stamp))
        return self._known[1]

    def _read(self, stamp: object) -> Judgements:
        if not isinstance(stamp, tuple):
            if stamp is not None:
                LOG.error("what was said of events: %s", stamp)
            return {}
        assert self._folder is not None  # it has a step
        try:
            return judged_in(self._folder / stamp[0])
        except ModelError as error:
            LOG.error("what was said of events: %s", error)
            return {}


def _text(array: bytes) -> str:
    """The text that NumPy wrote as an array (numpy.lib.format). Raises ValueError for another."""
    wide = 2 if array[6:7] == b"\x01" else 4
    begins = 8 + wide + int.from_bytes(array[8:8 + wide], "little")
    kind = re.search(rb"'descr': '([<>])U\d+'", array[8 + wide:begins])
    if array[:6] != b"\x93NUMPY" or kind is None:
        raise ValueError(f"{WORDS} is no text")
    return array[begins:].decode("utf-32-le" if kind[1] == b"<" else "utf-32-be").rstrip("\0")
