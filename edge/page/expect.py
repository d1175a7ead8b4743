"""`api/expect`: what other thresholds of a target would bring, as `edge-audio calibrate --expect` says it.

That command opens the model, which takes a second or two, and many on a small board. So what it says of all targets is kept
until the settings, a calibration, a lesson or an installed model changes.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

from aiohttp import web

from edge.page.children import Done
from edge.page.guard import refused

FOLDERS = ("calibration", "taught", "models")
"""Of the state directory, what the figures come from."""


class Expect:
    """Belongs to the loop's thread."""

    def __init__(self, done: Callable[..., Awaitable[Done]], config: Path | None, state_dir: Path) -> None:
        """done: a command of ours from its beginning to its end. config: the settings file, None where there is none."""
        self._done, self._config, self._state_dir = done, config, state_dir
        self._one = asyncio.Lock()
        self._known: tuple[list[object], dict[str, Any]] | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """`?target=NAME`."""
        async with self._one:  # who comes second waits for what the first asks
            marks = await asyncio.to_thread(lambda: list(self._marks()))
            if self._known is None or self._known[0] != marks:
                done = await self._done("calibrate", "--expect", "--format", "json")
                if done.code:
                    return refused(503, *done.refusal)
                self._known = marks, json.loads(done.out)["targets"]
            targets = self._known[1]
        if (name := request.query.get("target", "")) not in targets:
            return refused(404, f"target {ascii(name)[:80]}", f"one of {', '.join(targets)}")
        known = {key: value for key, value in targets[name].items() if key != "threshold"}  # `about` has the newest
        return web.json_response({"target": name, **known})

    def _marks(self) -> Iterator[object]:
        """What differs once one of the files has changed."""
        files = [path for folder in FOLDERS for path in sorted((self._state_dir / folder).rglob("*"))]
        for path in [self._config, *files] if self._config is not None else files:
            try:
                seen = path.stat()
            except OSError:
                continue
            yield path, seen.st_ino, seen.st_mtime_ns, seen.st_size
