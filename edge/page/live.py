"""The one connection to the appliance's watch socket, shared by all who look at the page."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.backoff import Backoff
from edge.errors import CommandError, EdgeError, SinkError
from edge.model.judged import JudgedEvents, Judgements
from edge.page.viewers import MINOR, Message, Viewer, line
from edge.sinks.bucket import Bucket
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.messages import PAST_EVENTS

LOG = logging.getLogger(__name__)

LONGEST_PAUSE = 8.0
"""Seconds until an appliance that is away is looked for again, at most."""
KEPT = ("about", "hearing", "pins", "health")
"""Kinds of which the newest is kept."""
ANSWER_SECONDS = 60.0
"""How long the answer to a command may take: a refit takes seconds of a slow board."""
GATHER_SECONDS = 0.05
"""How long what an appliance begins with (how it is, the last events) is gathered for one greeting."""
GREETING_SECONDS = 2.0
"""How long a request waits for the first words of an appliance that has just been reached."""


class Live:
    """Keeps the newest that the appliance told, and hands on all of it. Belongs to the loop's thread."""

    def __init__(self, state_dir: Path, judged: JudgedEvents,
                 on_message: Callable[[Message, bool], None] = lambda told, past: None) -> None:
        """state_dir: the appliance's. on_message: told every message of the appliance, and
        whether it belongs to what the appliance began with."""
        self._state_dir, self._judged, self._on_message = state_dir, judged, on_message
        self._said: Judgements = {}
        self.away = "not looked for yet"
        """Why no appliance answers; empty while one does."""
        self.newest: dict[str, Message] = {}
        """The newest message of each of the kinds KEPT."""
        self.viewers: tuple[Viewer, ...] = ()
        self._events: deque[Message] = deque(maxlen=PAST_EVENTS)
        self._numbers = itertools.count(1)
        self._answers, self._tried, self._ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._farewell = ""
        self._client: WatchClient | None = None
        self._wanted: tuple[str, ...] = ()
        self._asked: dict[str, asyncio.Future[Message]] = {}
        self._bucket = Bucket(10, 4.0, time.monotonic)
        self.closing = False
        """Whether the page ends: those who look are sent away."""

    async def ask(self, verb: str, fields: Mapping[str, object]) -> dict[str, Any]:
        """Have the appliance do a command, with the fields that it has over MQTT; its answer.

        Raises CommandError where there is none: no appliance, too many commands at once, or not in time.
        """
        client, request = self._client, f"page-{next(self._numbers)}"
        if client is None or not self._answers.is_set():
            raise CommandError("command", found=self.away or "no appliance", wanted="an appliance that runs")
        if not self._bucket.take():
            raise CommandError("command", found="too many at once", wanted="a few a second")
        self._asked[request] = answer = asyncio.get_running_loop().create_future()
        try:
            client.command(verb, request=request, **fields)
            told = await asyncio.wait_for(answer, ANSWER_SECONDS)
        except SinkError as error:
            raise CommandError("command", found=error.found, wanted=error.wanted) from error
        except TimeoutError as error:
            raise CommandError("command", found=f"no answer in {ANSWER_SECONDS:g} s", wanted="one that comes") from error
        finally:
            del self._asked[request]
        return {name: value for name, value in told.items() if name not in ("schema", "kind", "at", "request")}

    def _want(self) -> None:
        """Tell the appliance what viewers want, where that has changed: bands only while somebody looks at them."""
        bands = ["bands"] if any(viewer.bands for viewer in self.viewers) else []
        wanted = ("pins", "health", *bands)
        if self._client is not None and wanted != self._wanted:
            try:
                self._client.want(*wanted)
                self._wanted = wanted
            except SinkError as error:
                LOG.warning("%s; tried again at the next message", error)

    async def run(self) -> None:
        """Look for the appliance, listen to it, and look again when it is gone, until cancelled."""
        backoff = Backoff(LONGEST_PAUSE)
        while True:
            try:
                client = await asyncio.to_thread(WatchClient, self._state_dir)
            except EdgeError as error:
                self._gone(error.found if error.found.startswith(("no ", "an ")) else str(error))
            else:
                try:
                    if await self._listen(client):
                        backoff.reset()
                finally:
                    client.close()
            await asyncio.sleep(backoff.pause_seconds())

    async def _listen(self, client: WatchClient) -> bool:
        """Until it hangs up; whether it said how it is."""
        self._ended.clear()
        self._client, self._wanted = client, ()
        self._want()
        loop = asyncio.get_running_loop()
        loop.add_reader(client.fileno(), self._take, client)
        try:
            await self._ended.wait()
        finally:
            loop.remove_reader(client.fileno())
            self._client = None
        answered = self._answers.is_set()
        self._gone(self._farewell or "the appliance stopped")
        return answered

    def _take(self, client: WatchClient) -> None:
        """What has come. What an appliance begins with goes to the viewers as one greeting, a moment later."""
        try:
            taken = client.take()
        except EdgeError as error:
            LOG.error("%s", error)
            self._farewell = str(error)
            self._ended.set()
            return
        self._want()
        for told in taken:
            if self._noted(told) and self._answers.is_set():
                self.tell(told)
        if client.ended:
            self._ended.set()

    def _noted(self, told: Message) -> bool:
        """Keep what must be kept; whether viewers are to be told."""
        kind = told["kind"]
        if kind in ("bye", "refused"):
            self._farewell = str(told.get("reason", ""))
            return False
        if kind == "answer":
            waits = self._asked.get(told["request"] or "")
            if waits is not None and not waits.done():
                waits.set_result(told)
            self.look_at_judgements()  # also for an answer that came too late
            return False
        self._on_message(told, not self._answers.is_set())
        if kind == "event":
            self._events.append(told)
        elif kind in KEPT:
            self.newest[kind] = told
        if kind == "about" and self.away:
            self.away = ""
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._greet)
        return True

    def _greet(self) -> None:
        """Tell all viewers what the appliance began with."""
        if not self.away and not self._answers.is_set():
            LOG.info("an appliance answers")
            self._answers.set()
            self.tell(self.hello())

    def _gone(self, why: str) -> None:
        if why != self.away:
            LOG.info("%s", why)
            self.away = why
            self.tell({"kind": "away", "reason": why})
        for waits in self._asked.values():
            if not waits.done():
                waits.set_exception(CommandError("command", found=why, wanted="an appliance that runs"))
        self._answers.clear()
        self._farewell = ""
        self.newest.clear()
        self._events.clear()
        self._tried.set()

    def tell(self, told: Message, *, minor: bool = False) -> None:
        """Hand a message to all viewers who want it. minor: more like it come soon, as of the kinds MINOR."""
        if not self.viewers:
            return
        kind, number, text = told["kind"], next(self._numbers), line(told)
        for viewer in self.viewers:
            if kind != "bands" or viewer.bands:
                viewer.offer(number, text, minor=minor or kind in MINOR)

    def close(self) -> None:
        """Send all viewers away."""
        self.closing = True
        self.tell({"kind": "bye"})

    def hello(self) -> dict[str, Any]:
        """What stands now: what a new viewer is told first, and `api/state`."""
        self.look_at_judgements()
        return {"kind": "hello", "away": self.away, **self.newest,
                "events": [{**told, "judged": self._said.get(_event(told))} for told in self._events]}

    def look_at_judgements(self) -> None:
        """Tell all viewers which of the last events are judged otherwise than they were."""
        before, self._said = self._said, self._judged.now()
        if self._said is not before:
            changed = {event[0]: self._said.get(event) for event in map(_event, self._events)
                       if self._said.get(event) != before.get(event)}
            if changed:
                self.tell({"kind": "judged", "events": changed})

    @property
    def up(self) -> bool:
        """Whether an appliance answers now."""
        return self._answers.is_set()

    async def answers(self) -> bool:
        """Whether an appliance answers; waits until it has been looked for, and for its first words."""
        waits = [asyncio.create_task(each.wait()) for each in (self._answers, self._tried)]
        _, pending = await asyncio.wait(waits, timeout=GREETING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        for each in pending:
            each.cancel()
        return self._answers.is_set()

    @contextlib.contextmanager
    def watched(self, *, bands: bool) -> Iterator[Viewer]:
        """A viewer for as long as the block lasts. bands: whether it wants the bands too."""
        viewer = Viewer(bands=bands)
        viewer.offer(next(self._numbers), line(self.hello()), minor=False)
        self.viewers = (*self.viewers, viewer)
        self._want()
        try:
            yield viewer
        finally:
            self.viewers = tuple(other for other in self.viewers if other is not viewer)
            self._want()


def _event(told: Message) -> tuple[str, str]:
    """An event's id and target, of its message."""
    return str(told["event"]["id"]), str(told["event"]["target"])
