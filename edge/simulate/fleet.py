"""Many boards in one process: one poll loop over all connections, a few threads that open them.

Who opens a connection waits for the network and for the broker's answer; the loop never waits for anything but its poll.
"""

from __future__ import annotations

import queue
import random
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from edge.errors import EdgeError, SinkError
from edge.settings import MqttSettings
from edge.simulate.agenda import Agenda
from edge.simulate.board import Board
from edge.simulate.line import Line
from edge.simulate.recording import Sound
from edge.sinks.mqtt_connection import Connection

OPENERS = 16
"""Connections that are opened at once."""

STARTS_PER_SECOND = 50.0
"""Boards that are switched on per second, so that a broker need not greet a thousand at once."""

PAUSE_SECONDS = 0.05
"""A board that would hear two sounds at once hears the second so long after the first."""

LEAVE_SECONDS = 30.0
"""How long the goodbyes of all boards may take."""


class Fleet:
    """Boards that hear recorded sounds at random times (a Poisson process each) and tell them to a broker."""

    def __init__(self, count: int, nodes: Sequence[MqttSettings], sounds: Sequence[Sound], *, rate: float,
                 seed: int = 0) -> None:
        """nodes: the broker's addresses; rate: sounds per board and minute; seed: of who hears what, and when."""
        settings = nodes[0]
        targets = tuple(dict.fromkeys(sound.start.target for sound in sounds))
        self.boards = [Board(f"board-{number:04d}", settings.prefix, targets, settings.queue_events)
                       for number in range(1, count + 1)]
        self._lines = [Line(board, nodes, number) for number, board in enumerate(self.boards)]
        self._settings = settings
        self._sounds = sounds
        self._rate = rate
        self._chance = random.Random(seed)
        self._agenda = Agenda()
        self._selector = selectors.DefaultSelector()
        self._arrived: queue.SimpleQueue[tuple[Line, Connection | EdgeError]] = queue.SimpleQueue()
        self._bell, self._ringer = socket.socketpair()
        self._stopping = threading.Event()
        self._openers = ThreadPoolExecutor(OPENERS, "opener")
        self._end = 0.0
        self.reasons: Counter[str] = Counter()
        """Why connections ended or did not come, and how often."""

    def play(self, seconds: float, drain_seconds: float) -> None:
        """Hear for `seconds`, then deliver what waits and say goodbye, for `drain_seconds` at most."""
        start = time.monotonic()
        self._end = start + seconds
        self._selector.register(self._bell, selectors.EVENT_READ)
        for number, line in enumerate(self._lines):
            self._agenda.add(start + number / STARTS_PER_SECOND, partial(self._switch_on, line))
        try:
            self._run_until(self._end, lambda: False)
            self._run_until(self._end + drain_seconds, self._delivered)
            for line in self._lines:
                line.board.leave()
                self._exchange(line, readable=False)
            self._run_until(time.monotonic() + LEAVE_SECONDS, lambda: not any(board.busy for board in self.boards))
        finally:
            self._close()

    def _close(self) -> None:
        self._stopping.set()
        self._openers.shutdown(cancel_futures=True)
        while not self._arrived.empty():
            late = self._arrived.get()[1]
            if isinstance(late, Connection):
                late.close()
        for line in self._lines:
            line.leave()
        self._selector.close()
        self._bell.close()
        self._ringer.close()

    def _delivered(self) -> bool:
        return not any(board.waiting for board in self.boards)

    def _run_until(self, deadline: float, done: Callable[[], bool]) -> None:
        while (now := time.monotonic()) < deadline and not done():
            self._agenda.do_due(now)
            for key, mask in self._selector.select(self._agenda.pause_seconds(time.monotonic(), 0.2)):
                if key.data is None:
                    self._bell.recv(4096)
                else:
                    self._exchange(key.data, readable=bool(mask & selectors.EVENT_READ))
            while not self._arrived.empty():
                self._arrive(*self._arrived.get())

    def _switch_on(self, line: Line) -> None:
        now = time.monotonic()
        self._connect(line)
        self._service(line)
        self._health(line, now)
        self._agenda.add(now + self._gap_seconds(), partial(self._hear, line, self._chance.randrange(len(self._sounds))))

    def _gap_seconds(self) -> float:
        return self._chance.expovariate(self._rate / 60.0)

    def _hear(self, line: Line, number: int) -> None:
        now = time.monotonic()
        recorded = self._sounds[number % len(self._sounds)]
        gap = self._gap_seconds()
        if now + recorded.seconds < self._end:  # else its end would not be told any more
            sound = recorded.again(time.time())
            line.board.hear(replace(sound.start, sequence=line.board.sequence + 1), now)
            self._agenda.add(now + sound.seconds, partial(self._hear_end, line, sound))
            gap = max(gap, sound.seconds + PAUSE_SECONDS)
        self._agenda.add(now + gap, partial(self._hear, line, number + 1))
        self._exchange(line, readable=False)

    def _hear_end(self, line: Line, sound: Sound) -> None:
        line.board.hear(replace(sound.end, sequence=line.board.sequence + 1), time.monotonic())
        self._exchange(line, readable=False)

    def _health(self, line: Line, since: float) -> None:
        now = time.monotonic()
        line.board.health(now - since)
        self._agenda.add(now + self._settings.health_seconds, partial(self._health, line, since))

    def _service(self, line: Line) -> None:
        """Signs of life must go out although nothing is to be told."""
        self._exchange(line, readable=False)
        self._agenda.add(time.monotonic() + 1.0, partial(self._service, line))

    def _connect(self, line: Line) -> None:
        self._openers.submit(self._open, line)

    def _open(self, line: Line) -> None:
        """In an opener's thread."""
        try:
            self._arrived.put((line, line.open(self._stopping.is_set)))
        except EdgeError as error:
            self._arrived.put((line, error))
        self._ringer.send(b"!")

    def _arrive(self, line: Line, result: Connection | EdgeError) -> None:
        if isinstance(result, EdgeError):
            self._lose(line, result)
            return
        line.opened(result, time.monotonic())
        line.watched = result.fileno()
        self._selector.register(line.watched, selectors.EVENT_READ, line)
        self._exchange(line, readable=True)

    def _exchange(self, line: Line, *, readable: bool) -> None:
        connection = line.connection
        if connection is None:
            return
        try:
            line.exchange(time.monotonic(), time.time(), readable=readable)
            if connection.wants_write != line.watched_write:
                line.watched_write = connection.wants_write
                self._selector.modify(line.watched, selectors.EVENT_READ | (
                    selectors.EVENT_WRITE if line.watched_write else 0), line)
        except SinkError as error:
            self._lose(line, error)

    def _lose(self, line: Line, error: EdgeError) -> None:
        self.reasons[error.found] += 1
        if line.watched >= 0:
            self._selector.unregister(line.watched)
            line.watched = -1
        now = time.monotonic()
        pause = line.lost(now, self._settings.retry_seconds, self._chance.random())
        self._agenda.add(now + pause, partial(self._connect, line))
