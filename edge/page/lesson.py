"""The lesson or calibration that is held on the page: one at a time, a child process that is talked to by JSON lines."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import math
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from typing import Any

from edge.page.children import Children, end, last_words
from edge.page.live import Live

LOG = logging.getLogger(__name__)

GONE_SECONDS = 60.0
"""So long nobody must have looked, at the live stream or at the lesson, before a sound is taught no more."""
ANSWER_SECONDS = 3_600.0
"""So long what came of a calibration waits for one who comes back. The calibration itself needs nobody who looks."""
LOOK_SECONDS = 1.0
FLEETING = ("level", "progress")
"""Kinds of lines of which only the newest is kept."""
MOST_LINES = 400
ENDINGS = ("kept", "dropped", "error")
"""Kinds of lines with which a command says itself what came of it."""


class Lesson:
    """Belongs to the loop's thread."""

    def __init__(self, children: Children, live: Live) -> None:
        """live: whose viewers are told every line."""
        self._children, self._live = children, live
        self.kind: str | None = None
        self.name: str | None = None
        self.lines: list[dict[str, Any]] = []
        """Of the newest lesson, all but the FLEETING that were followed by another."""
        self.asked = False
        """Whether the command waits for an answer."""
        self._task: asyncio.Task[None] | None = None
        self._process: Process | None = None
        self._why = ""
        self._seen = 0.0

    @property
    def running(self) -> bool:
        return self._task is not None and not self._task.done()

    def seen(self) -> None:
        """Somebody asks about it."""
        self._seen = time.monotonic()

    def begin(self, kind: str, name: str | None, words: Sequence[str]) -> None:
        """Begin one; none may run. kind: "teach" or "calibrate". name: of the sound. words: the command."""
        self.kind, self.name, self.lines, self.asked, self._why = kind, name, [], False, ""
        self.seen()
        self._tell({"kind": "begun", "job": kind, "name": name})
        self._task = asyncio.create_task(self._run(words, name))

    async def answer(self, word: str) -> None:
        """Answer the outcome; `asked` must be true."""
        self.asked = False
        self.seen()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.write(f"{word}\n".encode())
            with contextlib.suppress(ConnectionError):  # it has just ended, and says so
                await self._process.stdin.drain()

    async def stop(self, why: str = "stopped") -> None:
        """End it, and wait for that. Nothing is kept that has not been already."""
        if self._task is None or self._task.done():
            return
        self._why = self._why or why
        if self._process is not None:
            await end(self._process)
        await self._task

    async def _run(self, words: Sequence[str], name: str | None) -> None:
        code, said = 1, ""
        try:
            self._process = process = await self._children.begin(words, operand=name, talks=True)
            assert process.stdout is not None and process.stderr is not None
            if self._why:  # told to stop while it began
                await end(process)
            watched = asyncio.create_task(self._while_watched(process))
            errors = asyncio.create_task(last_words(process.stderr))
            try:
                while raw := await process.stdout.readline():
                    self._take(raw)
                code = await process.wait()
                said = await errors
            finally:
                watched.cancel()
                await end(process)
                for task in (watched, errors):
                    with contextlib.suppress(asyncio.CancelledError):
                        await task
                if process.stdin is not None:
                    process.stdin.close()
        except (OSError, ValueError) as error:  # no room for a process; a line without an end
            said = str(error)
            LOG.error("the lesson: %s", error)
        self.asked, self._process = False, None
        if code and not self._why:
            LOG.warning("edge-audio %s ended with code %d: %s", self.kind, code, said)
        reason = self._why or (f"ended by signal {-code}" if code < 0 else said) or f"exit code {code}"
        told = any(line["kind"] in ENDINGS for line in self.lines)
        self._tell({"kind": "ended", "code": code, "reason": "" if told else reason})

    async def _while_watched(self, process: Process) -> None:
        """Until nobody has looked for a while: then the child is ended."""
        while time.monotonic() - self._seen < self._patience_seconds:
            await asyncio.sleep(LOOK_SECONDS)
            if self._live.viewers:
                self.seen()
        self._why = f"nobody looked for {self._patience_seconds:g} s"
        await end(process)

    @property
    def _patience_seconds(self) -> float:
        if self.kind == "teach":
            return GONE_SECONDS
        return ANSWER_SECONDS if self.asked else math.inf

    def _take(self, raw: bytes) -> None:
        try:
            line = json.loads(raw)
            kind = line["kind"]
        except (ValueError, TypeError, KeyError):
            LOG.warning("the lesson: found %s; wanted a line with a kind", ascii(raw[:80]))
            return
        if kind == "outcome":
            self.asked = True
            self.seen()  # from now on the answer is waited for
        self._tell(line)

    def _tell(self, line: dict[str, Any]) -> None:
        """Keep a line, and tell all who look."""
        fleeting = line["kind"] in FLEETING
        if fleeting:
            self.lines = [each for each in self.lines if each["kind"] != line["kind"]]
        elif len(self.lines) >= MOST_LINES:
            del self.lines[1]
        self.lines.append(line)
        self._live.tell({"kind": "lesson", "line": line}, minor=fleeting)
