"""What could not be taken, and how a report shows what an owner wrote."""

from __future__ import annotations

import re


class Refused(Exception):
    """One thing that was not taken. key: "" for the whole file; line: from 1, 0 where there is none to name.

    said: what another program said of it, which is then all that is said.
    """

    def __init__(self, key: str, *, found: str, wanted: str, line: int = 0, said: str = "") -> None:
        super().__init__(key)
        self.key, self.found, self.wanted, self.line, self.said = key, found, wanted, line, said

    def __str__(self) -> str:
        if self.said:
            return self.said
        where = ", ".join([*([f"line {self.line}"] if self.line else []), *([self.key] if self.key else [])])
        return f"{where}: found {self.found}; wanted {self.wanted}" if where else f"found {self.found}; wanted {self.wanted}"


def shown(text: str, most: int = 60) -> str:
    """A text of the owner's on one line, in quotes, cut to `most` letters; hidden where it looks like a slipped password."""
    if re.search(r"(?<!no)passw|psk|secret|\$\w+\$", text, re.IGNORECASE):
        return hidden(text)
    cut = text if len(text) <= most else f"{text[:most]}..."
    return "'" + "".join(letter if letter.isprintable() else "?" for letter in cut) + "'"


def hidden(text: str) -> str:
    """What is said of a secret."""
    return f"a text of {len(text)} letters"


def without(line: str, secrets: set[str]) -> str:
    """What a program said, without any of these secrets, and without the password of mqtt://user:password@host."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        line = line.replace(secret, "...")
    return re.sub(r"//[^/@\s]*@", "//...@", line)
