"""Our own commands as child processes, at low priority: the page learns nothing of models, and stays as small as it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from edge.workshop.child import environment

NICE = 10
DONE_SECONDS = 120.0
"""How long a command may take that nobody talks to: a slow board opens its model."""
ENDING_SECONDS = 5.0
"""From SIGTERM to SIGKILL."""
MOST_LINE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended. words: the last line that it said on standard error."""

    code: int
    out: str
    words: str

    @property
    def refusal(self) -> tuple[str, str]:
        """What it found and what it wanted, where it ended with an error."""
        found, _, wanted = self.words.partition("; wanted ")
        return found or f"exit code {self.code}", wanted


class Children:
    """Commands with the settings file and the state directory of the page. Belongs to the loop's thread."""

    def __init__(self, config: Path | None, state_dir: Path) -> None:
        """config: None where there is no settings file."""
        self._where = ["--state-dir", str(state_dir), *(["--config", str(config)] if config is not None else [])]
        self._one = asyncio.Semaphore(1)

    async def begin(self, words: Iterable[str], *, operand: str | None = None, talks: bool = False) -> Process:
        """A command that has begun. operand: its name or the like, whatever it begins with. talks: it gets answers."""
        behind = [] if operand is None else ["--", operand]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "edge", *words, *self._where, *behind, stdin=PIPE if talks else DEVNULL, stdout=PIPE,
            stderr=PIPE, env=environment(), limit=MOST_LINE_BYTES)
        with contextlib.suppress(OSError):  # gone already; or not allowed, in the unit, which is nice itself
            os.setpriority(os.PRIO_PROCESS, process.pid, max(NICE, os.getpriority(os.PRIO_PROCESS, 0)))
        return process

    async def done(self, *words: str) -> Done:
        """A command from its beginning to its end, one at a time. Raises TimeoutError after DONE_SECONDS."""
        async with self._one:
            process = await self.begin(words)
            try:
                out, said = await asyncio.wait_for(process.communicate(), DONE_SECONDS)
            finally:
                await end(process)
        assert process.returncode is not None
        return Done(process.returncode, out.decode("utf-8", "replace"),
                    last_line(said.decode("utf-8", "replace").splitlines()))


async def last_words(said: asyncio.StreamReader) -> str:
    """The last line of a child's standard error, once it is closed."""
    newest: deque[str] = deque(maxlen=20)
    rest = b""
    while part := await said.read(4_096):
        *whole, rest = (rest + part).replace(b"\r", b"\n").split(b"\n")
        newest.extend(line.decode("utf-8", "replace") for line in whole)
        rest = rest[-4_096:]
    return last_line([*newest, rest.decode("utf-8", "replace")])


def last_line(lines: Iterable[str]) -> str:
    """The last that says something, without the program's name, 500 letters at most."""
    return next((text for line in reversed(list(lines)) if (text := line.strip())), "").removeprefix("edge-audio: ")[:500]


async def end(process: Process) -> None:
    """End a child that may have ended already."""
    for act in (process.terminate, process.kill):
        if process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            act()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), ENDING_SECONDS)
