"""The watch socket: what watchers ask of an appliance, and what an appliance tells those who watch, the page and the
workshop. An input is a session: packets, with a line break between them. Its sum says which of the three listens."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import select
import socket
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from edge.cli.screen.layout import frame
from edge.cli.screen.paint import Look
from edge.cli.screen.seen import Seen
from edge.control.commands import Command, Outcome
from edge.errors import SinkError, SourceError
from edge.model.judged import JudgedEvents
from edge.page.live import Live
from edge.page.metrics import Figures
from edge.sinks.watching.bands import bands_from, bands_messages
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.messages import Message, event_message, hearing_message, message, to_line
from edge.sinks.watching.sink import WatchSink
from edge.sinks.watching.socket import NAME, connected, listening
from edge.sinks.watching.sound import sound_messages
from edge.stream import Bands, Event, Hearing, Sound, TargetHearing, new_event_id
from edge.workshop.running import Through
from tests.fuzz import mutation

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
MOST_PACKETS = 12
PATIENCE_SECONDS = 30.0


class Asked:
    """A socket of its own, with a watcher who asks. Every packet is answered, and the thread lives on."""

    allowed = ()

    def __init__(self, folder: Path) -> None:
        self._state = folder
        ticks = itertools.count()
        self._sink = WatchSink(folder, "kitchen", act=self._act, counters=lambda: {"blocks": 7}, pins={"17": False},
                               monotonic=lambda: next(ticks) * 10.0)  # so slow are those who ask that no limit holds
        self._died: list[BaseException] = []
        threading.excepthook = lambda ended: self._died.append(ended.exc_value or RuntimeError("a thread ended"))
        self._sink.start()

    def close(self) -> None:
        """End the socket's thread."""
        self._sink.stop()
        threading.excepthook = threading.__excepthook__

    def _act(self, command: Command, answer: Callable[[Outcome], None]) -> bool:
        answer({"muted": True})
        return command.request != "full"

    def seeds(self) -> Sequence[bytes]:
        return [b'{"want": ["bands", "pins"]}\n{"command": "mute", "seconds": 60, "request": "m1"}\n{"command": "unmute"}',
                b'{"command": "threshold", "target": "hand_clap", "threshold": 0.5}', b'{"command": "reload"}', b"{}", b"[]",
                b'{"command": "feedback", "id": "4f1c9a", "judgement": "wrong"}\n{"command": "identify", "request": "full"}',
                b'{"want": [], "request": "r"}\n{"command": "pin-test", "pin": 17}\n{"want": ["sound"]}']

    def try_one(self, data: bytes) -> None:
        packets = [packet for packet in data.split(b"\n") if packet][:MOST_PACKETS]
        with contextlib.closing(connected(self._sink.path)) as watcher:
            watcher.setblocking(True)
            watcher.settimeout(PATIENCE_SECONDS)
            for packet in packets:
                watcher.send(packet[:100_000])
            watcher.shutdown(socket.SHUT_WR)
            answers = 0
            while answers < len(packets):
                told = watcher.recv(1 << 18)
                assert told.endswith(b"\n") and told.count(b"\n") == 1, f"{told[:60]!r} for {packets}"
                kind = json.loads(told)["kind"]
                answers += kind == "answer"
                assert kind in ("about", "answer", "pins", "health", "lost")
        assert not self._died, self._died

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return _session(data, chance)


class Told:
    """An appliance that tells anything, and the three who listen: the screen, the workshop, the page."""

    allowed = (SinkError, SourceError)

    def __init__(self, folder: Path) -> None:
        self._state = folder
        self._listener = listening(folder / NAME)
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        self._listener.close()
        self._loop.close()

    def seeds(self) -> Sequence[bytes]:
        at = AT.isoformat()
        event = Event(new_event_id(AT.timestamp()), 7, "start", "hand_clap", "hand_clap", 0.9, 0.8, 16_000, None, AT, None,
                      -20.0)
        ended = replace(event, sequence=8, phase="end", end=17_600, ended_at=AT + timedelta(seconds=0.1))
        hearing = Hearing(3_840, -31.4, -60.5, True, (("hand_clap", 0.8378), ("cough", 0.25)), (
            TargetHearing("hand_clap", "hand_clap", 0.8378, 0.5683, True, ""),
            TargetHearing("typing", "", None, 0.75, False, "under the threshold")))
        about = message("about", at, device="kitchen", about={
            "source": "ok", "source_live": True, "muted": False, "model": "starter", "version": "1", "pace": "ok",
            "sinks": {"mqtt": "ok"}, "waiting_messages": 0, "words": "hearing hand_clap", "targets": []})
        answer = message("answer", at, command="mute", request="page-1", ok=True, error=None, found=None, wanted=None,
                         muted=True)
        health = message("health", at, health={"uptime_seconds": 5.0, "blocks": 7})
        bands = next(bands_messages(Bands(np.zeros((2, 64), np.float32), 0, AT), at))
        sound = next(sound_messages(Sound(np.arange(16, dtype=np.int16), 0, True), at))
        others = [message("pins", at, pins={"17": True}), message("lost", at, messages=3), message("bye", at),
                  message("refused", at, reason="8 watch already")]
        told = [about, event_message(event, "kitchen", at), hearing_message(hearing, 15_600, at), health, bands, sound,
                event_message(ended, "kitchen", at), answer]
        lines = [to_line(each) for each in (*told, *others)]
        return [b"".join(lines[:8]), b"".join(lines[:3]), lines[0] + b"".join(lines[5:]), lines[0] + lines[2] * 2, *lines]

    def try_one(self, data: bytes) -> None:
        packets = [packet for packet in data.split(b"\n") if packet][:MOST_PACKETS]
        listeners = (self._screen, self._workshop, self._page)
        listeners[zlib.crc32(data) % len(listeners)](packets)

    def _screen(self, packets: Sequence[bytes]) -> None:
        seen, frames = Seen(), 0
        for told in self._heard(packets):
            seen.take(told)
            for now in (AT, None):
                lines = frame(seen, width=80, height=24, top=3, look=Look(colour=False), now=now)
                assert len(lines) == 24
                frames += 1
        seen.finish()

    def _heard(self, packets: Sequence[bytes]) -> Iterator[Message]:
        with contextlib.closing(WatchClient(self._state)) as client:
            self._tell(packets)
            while not client.ended:
                select.select([client], [], [], PATIENCE_SECONDS)
                for told in client.take():
                    if told["kind"] == "bands":
                        assert np.isfinite(bands_from(told)).all()
                    yield told

    def _workshop(self, packets: Sequence[bytes]) -> None:
        client = WatchClient(self._state)
        try:
            self._tell(packets)
            through = Through(client)
            expected = 0
            for block in through.blocks():
                if block is not None:
                    assert block.samples.dtype == np.int16 and (block.gap or block.position == expected)
                    expected = block.position + block.length
        finally:
            client.close()

    def _page(self, packets: Sequence[bytes]) -> None:
        async def looked() -> None:
            live = Live(self._state, JudgedEvents(self._state, "starter"), lambda told, past: figures.note(told, past))
            figures = Figures(live.newest, lambda: live.up, lambda: len(live.viewers))
            with contextlib.closing(WatchClient(self._state)) as client, live.watched(bands=True) as viewer:
                self._tell(packets)
                while not client.ended and not live._ended.is_set():
                    select.select([client], [], [], PATIENCE_SECONDS)
                    live._take(client)
                    live._greet()
                assert json.dumps(live.hello())
                assert figures.text()
                for _, text in await viewer.take(0.0):
                    json.loads(text)
                live._gone("the appliance stopped")

        self._loop.run_until_complete(looked())

    def _tell(self, packets: Sequence[bytes]) -> None:
        """Take in whoever has just connected, say all, and hang up."""
        self._listener.setblocking(True)
        appliance, _ = self._listener.accept()
        with contextlib.closing(appliance):
            appliance.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
            appliance.setblocking(False)
            for packet in packets:
                with contextlib.suppress(OSError):  # longer than a packet may be
                    appliance.send(packet)

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return _session(data, chance)


def _session(data: bytes, chance: random.Random) -> bytes:
    """One packet of a session changed, or the order of the packets."""
    packets = data.split(b"\n")
    at = chance.randrange(len(packets))
    kind = chance.randrange(8)
    if kind == 0:
        packets.insert(at, packets[chance.randrange(len(packets))])
    elif kind == 1 and len(packets) > 1:
        del packets[at]
    elif kind == 2:
        packets[at] = packets[at].replace(b'"', b'"' * chance.choice((1, 2, 400)), 1)
    else:
        packets[at] = mutation.of_json(packets[at], chance, tokens=(b"{", b"[", b'"', b"\0", b"\xff", b"\\u0000", b"," * 50))
    return b"\n".join(packets[:MOST_PACKETS])
