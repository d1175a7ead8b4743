"""The order of versions, as Debian has it: digits by their value, letters after what ends, `~` before everything."""

from __future__ import annotations

import re
from functools import total_ordering

from edge.errors import UpdateError

FORM = re.compile(r"[0-9][A-Za-z0-9.+~]*(-[A-Za-z0-9.+~]+)?")
"""Of what is left of Debian's form without an epoch: 1.2, 1.2.0~rc1, 1.2.0+20261201-1."""
LONGEST = 64


@total_ordering
class Version:
    """One version. Two that are written differently may be equal (1.02 and 1.2)."""

    def __init__(self, text: str, *, of: str = "version") -> None:
        """of: what has this version, for the error. Raises UpdateError for a text that is no version."""
        if len(text) > LONGEST or not FORM.fullmatch(text):
            raise UpdateError(of, found=f"the version {text[:LONGEST]!r}", wanted="a version such as 1.2.0 or 1.2.0~rc1")
        self.text = text
        upstream, _, revision = text.partition("-")
        self._key = (_key(upstream), _key(revision or "0"))  # no revision is revision 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Version) and self._key == other._key

    def __lt__(self, other: Version) -> bool:
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        return self.text


def _key(part: str) -> tuple[tuple[tuple[int, ...], int], ...]:
    """Runs of non-digits and digits by turns, weighed; the end weighs more than `~`, less than all else."""
    runs = re.findall(r"([^0-9]*)([0-9]*)", part)
    return tuple(((*map(_weight, letters), 0), int(digits or "0")) for letters, digits in (*runs[:-1], ("", "")))


def _weight(letter: str) -> int:
    if letter == "~":
        return -1
    return ord(letter) if letter.isalpha() else ord(letter) + 256
