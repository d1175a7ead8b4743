"""The command line read: a command's options may stand anywhere, and what is wrong is answered with that command's usage."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import Any

from edge.errors import nearest


class Parser(argparse.ArgumentParser):
    """A program with commands, or a command (perhaps with verbs); `read` does what `parse_args` does elsewhere."""

    def __init__(self, **options: Any) -> None:
        """options: as for argparse."""
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self._parts: Any = None

    def add_parts(self, what: str) -> Any:
        """Begin the list of commands or verbs. what: how the usage line calls one of them, such as "COMMAND"."""
        self._parts = self.add_subparsers(metavar=what, required=True, parser_class=Parser)
        return self._parts

    def read(self, given: Sequence[str]) -> argparse.Namespace:
        """The options of the command (and verb) that `given` names.

        Exits with code 2, the usage and what was wanted, where an argument is wrong; with 0 after --help or --version.
        """
        if self._parts is not None:
            name = self._chosen(given)
            rest = list(given)
            rest.remove(name)
            part: Parser = self._parts.choices[name]
            return part.read(rest)
        options, unknown = self.parse_known_intermixed_args(list(given))
        if unknown:
            near = meant(unknown[0].partition("=")[0], re.findall(r"--[a-z][a-z-]*", self.format_help()))
            self.error(f"found the unknown {' '.join(unknown)}; wanted what the usage above names{near}")
        return options

    def _chosen(self, given: Sequence[str]) -> str:
        """The command or verb: the first word, or behind options that stand before it the first word that names one."""
        names: dict[str, Parser] = self._parts.choices
        word = given[0] if given else ""
        if word in names:
            return word
        if word and not word.startswith("-"):
            wanted = f"one of {', '.join(names)}{meant(word, names)}"
            self.error(f"found no {self._parts.metavar.lower()} {word!r}; wanted {wanted}")
        behind = next((each for each in given if each in names), "")
        if word in ("-h", "--help", "--version"):
            self.parse_args(given)  # prints and ends the program
        if not behind:
            self.error(f"found no {self._parts.metavar.lower()}; one is required: {', '.join(names)}")
        return behind


def meant(word: str, known: Iterable[str]) -> str:
    """The known word that is nearest, as the end of a message; empty where none is near."""
    return "".join(f" (did you mean {near!r}?)" for near in nearest(word, known))
