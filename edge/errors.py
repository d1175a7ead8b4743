"""The error family: each message names the thing, what was found and what was wanted. Imports nothing of edge.

EdgeError
 ├── SettingsError   settings and command line   (also ValueError)   exit code 2
 ├── ModelError      models, manifests, tensors  (also ValueError)   exit code 2
 ├── SourceError     microphones, files, commands (also OSError)     exit code 2
 ├── SinkError       broker, pins, log           (also OSError)      exit code 1
 ├── CommandError    commands of others          (also ValueError)   exit code 1
 └── UpdateError     updates of the image        (also ValueError)   exit code 1
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

SHOWN_LETTERS = 40
"""An error echoes at most so many letters of what was found."""
FOUND_LETTERS = 2_000
"""An error's line has at most so many letters of all that was found, and of what was wanted: a row of a damaged file may
have a million, and so may a name in a list of clips."""


class EdgeError(Exception):
    """Something the owner can mend. `str(error)` is one line: thing, found, wanted, the last two cut to FOUND_LETTERS."""

    exit_code = 1

    def __init__(self, thing: str, *, found: str, wanted: str) -> None:
        super().__init__(thing)
        self.thing = thing
        self.found = found
        self.wanted = wanted

    def __str__(self) -> str:
        found, wanted = (words if len(words) <= FOUND_LETTERS else f"{words[:FOUND_LETTERS]}..."
                         for words in (self.found, self.wanted))
        return " ".join(f"{self.thing}: found {found}; wanted {wanted}".split())

    def __reduce__(self) -> tuple[object, ...]:
        return (partial(type(self), found=self.found, wanted=self.wanted), (self.thing,))


class SettingsError(EdgeError, ValueError):
    """A settings file, key, value or argument that cannot be used."""

    exit_code = 2


class ModelError(EdgeError, ValueError):
    """A model, manifest, label list or tensor that is not what it should be."""

    exit_code = 2


class SourceError(EdgeError, OSError):
    """A microphone, file or command that gives no sound."""

    exit_code = 2


class SinkError(EdgeError, OSError):
    """A broker, pin or log that cannot be reached."""

    exit_code = 1


class CommandError(EdgeError, ValueError):
    """A command that is not done. request: what its sender calls it, to be echoed in the answer."""

    exit_code = 1

    def __init__(self, thing: str, *, found: str, wanted: str, request: str | None = None) -> None:
        super().__init__(thing, found=found, wanted=wanted)
        self.request = request


class UpdateError(EdgeError, ValueError):
    """An update that is refused or that failed."""

    exit_code = 1


def shown(value: object) -> str:
    """A value that came from outside, fit to be said: short, on one line, in ASCII."""
    if isinstance(value, (list, dict)):  # as deep as it likes
        return "a list" if isinstance(value, list) else "an object"
    if isinstance(value, int) and value.bit_length() > 4 * SHOWN_LETTERS:  # Python writes none of thousands of digits
        return "a whole number of many digits"
    text = ascii(value[: SHOWN_LETTERS + 1] if isinstance(value, str) else value)
    return text if len(text) <= SHOWN_LETTERS else f"{text[:SHOWN_LETTERS]}..."


def nearest(name: str, known: Iterable[str], most: int = 1) -> list[str]:
    """Up to `most` known names: first those spelled like `name`, then those that contain it. Case does not count."""
    import difflib  # most starts have no name to correct

    folded = {each.lower(): each for each in known}
    alike = difflib.get_close_matches(name.lower(), sorted(folded), n=most, cutoff=0.5)
    holding = [low for low in folded if name and name.lower() in low]
    return [folded[low] for low in dict.fromkeys([*alike, *holding])][:most]
