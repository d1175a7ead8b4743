"""`api/lesson`, `api/undo`, `api/taught`, `api/settings`: what is taught, and what the board makes of its settings."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from aiohttp import web

from edge.page.children import Children, Done
from edge.page.expect import Expect
from edge.page.guard import refused
from edge.page.lesson import Lesson
from edge.page.live import Live
from edge.page.login import fields

ANSWERS = ("keep", "force", "drop")
SOUNDS = (None, "impulsive", "lasting")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_BUDGET = re.compile(r"[0-9.]{1,12}/[a-z]{1,8}")
_MOST_TARGETS = 64
LOOKED_AT = ("state", "model", "commands", "log", "journal")
"""Parts of `check` that open no device and ask nobody."""


class Learning:
    """Belongs to the loop's thread."""

    def __init__(self, config: Path | None, state_dir: Path, live: Live) -> None:
        """config: the settings file, None where there is none. live: whose viewers are told of lessons."""
        self._config, self._live = config, live
        self._children = Children(config, state_dir)
        self.lesson = Lesson(self._children, live)
        self.expect = Expect(self._done, config, state_dir)

    async def begin(self, request: web.Request) -> web.StreamResponse:
        """Begin a lesson, or a calibration."""
        given = await fields(request)
        kind, name = given.get("kind"), None
        if kind == "teach":
            name, words = _teach(given)
        elif kind == "calibrate":
            words = _calibrate(given)
        else:
            raise _bad("kind", kind, "teach or calibrate")
        if self.lesson.running:
            return refused(409, f"a lesson that runs: {self.lesson.kind} {self.lesson.name or ''}".rstrip(),
                           "its end: POST api/lesson/stop")
        self.lesson.begin(kind, name, words)
        return web.json_response({"ok": True})

    async def state(self, request: web.Request) -> web.StreamResponse:
        """The newest lesson, and its lines."""
        lesson = self.lesson
        lesson.seen()
        return web.json_response({"running": lesson.running, "kind": lesson.kind, "name": lesson.name,
                                  "lines": lesson.lines})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Keep what came of it, or do not."""
        if (word := (await fields(request)).get("answer")) not in ANSWERS:
            raise _bad("answer", word, f"one of {', '.join(ANSWERS)}")
        if not self.lesson.asked:
            return refused(409, "no outcome that waits for an answer", "an answer after the outcome, once")
        await self.lesson.answer(word)
        return web.json_response({"ok": True})

    async def stop(self, request: web.Request) -> web.StreamResponse:
        """End it."""
        if not self.lesson.running:
            return refused(409, "no lesson that runs", "one: POST api/lesson")
        await self.lesson.stop()
        return web.json_response({"ok": True})

    async def undo(self, request: web.Request) -> web.StreamResponse:
        """Take the last step back."""
        done = await self._done("teach", "--undo", "--format", "json")
        if done.code:
            return refused(409, *done.refusal)
        self._live.look_at_judgements()
        return web.json_response({"ok": True, **json.loads(done.out)})

    async def taught(self, request: web.Request) -> web.StreamResponse:
        """What was taught."""
        done = await self._done("teach", "--list", "--format", "json")
        return refused(503, *done.refusal) if done.code else web.json_response({"sounds": _rows(done)})

    async def settings(self, request: web.Request) -> web.StreamResponse:
        """What `edge-audio check` says, without opening a device: an appliance that runs is asked about them."""
        parts = (*LOOKED_AT, "service" if self._live.up else "broker")
        done = await self._done("check", "--format", "json", *(word for part in parts for word in ("--only", part)))
        rows = _rows(done)
        explained = done.code == 0 or (done.code == 1 and not all(row["ok"] for row in rows))
        return web.json_response({"rows": rows, "problems": [] if explained else [done.words or f"exit code {done.code}"],
                                  "file": None if self._config is None else str(self._config)})

    async def _done(self, *words: str) -> Done:
        try:
            return await self._children.done(*words)
        except OSError as error:  # TimeoutError, or no room for a process
            text = f"found {error.strerror or 'no answer in time'}; wanted what edge-audio {words[0]} says"
            raise web.HTTPServiceUnavailable(text=text) from error


def _rows(done: Done) -> list[Any]:
    """A row for each line."""
    return [json.loads(line) for line in done.out.splitlines()]


def _teach(given: dict[str, Any]) -> tuple[str, list[str]]:
    """The sound's name, and the command. Raises HTTPBadRequest."""
    name, count, sound = given.get("name"), given.get("count", 10), given.get("sound")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _bad("name", name, "letters, digits, '-' and '_', 64 at most")
    if type(count) is not int or not 0 < count < 1_000:
        raise _bad("count", count, "how many recordings")
    if sound not in SOUNDS:
        raise _bad("sound", sound, "impulsive, lasting or null")
    return name, ["teach", "--microphone", "--format", "jsonl", "--count", str(count),
                  *(["--sound", sound] if sound is not None else [])]


def _calibrate(given: dict[str, Any]) -> list[str]:
    """The command. Raises HTTPBadRequest."""
    minutes, targets, budget = given.get("minutes", 10), given.get("targets", []), given.get("budget", "1/day")
    if type(minutes) not in (int, float) or not math.isfinite(minutes) or not 0 < minutes <= 10_080:
        raise _bad("minutes", minutes, "a number over 0, at most 10080 (a week)")
    if not isinstance(targets, list) or len(targets) > _MOST_TARGETS or not all(
            isinstance(each, str) and 0 < len(each) <= 200 and each.isprintable() for each in targets):
        raise _bad("targets", targets, "a list of names")
    if not isinstance(budget, str) or not _BUDGET.fullmatch(budget):
        raise _bad("budget", budget, "such as 1/day")
    return ["calibrate", "--format", "jsonl", f"--minutes={minutes}", f"--budget={budget}",
            *(f"--target={target}" for target in targets)]


def _bad(name: str, value: object, wanted: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=f"found {name} {ascii(value)[:80]}; wanted {wanted}")
