"""Many boards in one process: one poll loop over all connections, a few threads that open and end them.

Who opens a connection waits for the network and for the broker's answer; the loop waits for nothing but its poll.
"""

from __future__ import annotations

import contextlib
import queue
import random
import selectors
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from deploy.fleet.agenda import Agenda
from deploy.fleet.board import Board
from deploy.fleet.recording import Sound
from edge.clock import Clock
from edge.errors import EdgeError, SinkError
from edge.settings import MqttSettings
from edge.sinks.mqtt.connection import Connection
from edge.sinks.mqtt.doorbell import Doorbell

OPENERS = 16
"""Connections that are opened at once."""

STARTS_PER_SECOND = 50.0
"""Boards that are switched on per second, so that a broker need not greet a thousand at once."""

PAUSE_SECONDS = 0.05
"""A board that would hear two sounds at once hears the second so long after the first."""


class Fleet:
    """Boards that hear recorded sounds at random times (a Poisson process each) and tell them to a broker."""

    def __init__(self, count: int, nodes: Sequence[MqttSettings], sounds: Sequence[Sound], *, rate: float,
                 seed: int = 0) -> None:
        """nodes: the broker's addresses; rate: sounds per board and minute; seed: of who hears what, and when."""
        clock = Clock()
        targets = tuple(dict.fromkeys(sound.start.target for sound in sounds))
        self._chance = random.Random(seed)
        self.boards = [Board(f"board-{number + 1:04d}", nodes, number, targets, clock, chance=self._chance.random)
                       for number in range(count)]
        self.reasons: Counter[str] = Counter()
        """Why connections ended or did not come, and how often."""
        self._settings = nodes[0]
        self._sounds = sounds
        self._rate = rate
        self._synchronised = clock.synchronised()
        self._agenda = Agenda()
        self._selector = selectors.DefaultSelector()
        self._watched: dict[Board, selectors.SelectorKey] = {}
        self._arrived: queue.SimpleQueue[tuple[Board, Connection | EdgeError]] = queue.SimpleQueue()
        self._bell = Doorbell()
        self._stopping = threading.Event()
        self._openers = ThreadPoolExecutor(OPENERS, "opener")
        self._end = 0.0
        self._sounding = 0

    def play(self, seconds: float, drain_seconds: float) -> None:
        """Hear for `seconds`, then deliver what waits, for `drain_seconds` at most, and say goodbye."""
        start = time.monotonic()
        self._end = start + seconds
        self._selector.register(self._bell, selectors.EVENT_READ)
        for number, board in enumerate(self.boards):
            self._agenda.add(start + number / STARTS_PER_SECOND, partial(self._switch_on, board))
        try:
            self._run_until(self._end, lambda: False)
            self._run_until(self._end + drain_seconds, self._delivered)
        finally:
            self._leave()

    def _delivered(self) -> bool:
        return not self._sounding and all(board.outbox.finished for board in self.boards)

    def _leave(self) -> None:
        self._stopping.set()
        self._openers.shutdown(cancel_futures=True)
        while not self._arrived.empty():
            late = self._arrived.get()[1]
            if isinstance(late, Connection):
                late.close()
        with ThreadPoolExecutor(OPENERS, "leaver") as leavers:
            for board in self.boards:
                leavers.submit(_leave, board)
        self._selector.close()
        self._bell.close()

    def _run_until(self, deadline: float, done: Callable[[], bool]) -> None:
        while (now := time.monotonic()) < deadline and not done():
            self._agenda.do_due(now)
            for key, _mask in self._selector.select(self._agenda.pause_seconds(time.monotonic(), 0.2)):
                if key.data is None:
                    self._bell.answer()
                else:
                    self._exchange(key.data)
            while not self._arrived.empty():
                self._arrive(*self._arrived.get())

    def _switch_on(self, board: Board) -> None:
        now = time.monotonic()
        self._connect(board)
        self._service(board)
        self._health(board, now)
        first = self._chance.randrange(len(self._sounds))
        self._agenda.add(now + self._gap_seconds(), partial(self._hear, board, first))

    def _gap_seconds(self) -> float:
        return self._chance.expovariate(self._rate / 60.0)

    def _hear(self, board: Board, number: int) -> None:
        now = time.monotonic()
        recorded = self._sounds[number % len(self._sounds)]
        gap = self._gap_seconds()
        if now + recorded.seconds < self._end:  # else its end would not be told any more
            sound = recorded.again(time.time(), now, synchronised=self._synchronised)
            board.hear(sound.start)
            self._sounding += 1
            self._agenda.add(now + sound.seconds, partial(self._hear_end, board, sound))
            gap = max(gap, sound.seconds + PAUSE_SECONDS)
        self._agenda.add(now + gap, partial(self._hear, board, number + 1))
        self._exchange(board)

    def _hear_end(self, board: Board, sound: Sound) -> None:
        board.hear(sound.end)
        self._sounding -= 1
        self._exchange(board)

    def _health(self, board: Board, since: float) -> None:
        now = time.monotonic()
        board.health(now - since)
        self._agenda.add(now + self._settings.health_seconds, partial(self._health, board, since))

    def _service(self, board: Board) -> None:
        """Signs of life must go out although nothing is to be told."""
        self._exchange(board)
        self._agenda.add(time.monotonic() + 1.0, partial(self._service, board))

    def _connect(self, board: Board) -> None:
        self._openers.submit(self._open, board)

    def _open(self, board: Board) -> None:
        """In an opener's thread."""
        try:
            self._arrived.put((board, board.open(self._stopping.is_set)))
        except EdgeError as error:
            self._arrived.put((board, error))
        self._bell.ring()

    def _arrive(self, board: Board, result: Connection | EdgeError) -> None:
        if isinstance(result, EdgeError):
            self._lose(board, result)
        else:
            board.opened(result, time.monotonic())
            self._exchange(board)

    def _exchange(self, board: Board) -> None:
        try:
            board.exchange()
            if board.connection is not None:
                self._watch(board, board.connection)
        except SinkError as error:
            self._lose(board, error)

    def _watch(self, board: Board, connection: Connection) -> None:
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.wants_write else 0)
        known = self._watched.get(board)
        if known is None:
            known = self._selector.register(connection.fileno(), events, board)
        elif known.events != events:
            known = self._selector.modify(known.fd, events, board)
        self._watched[board] = known

    def _lose(self, board: Board, error: EdgeError) -> None:
        self.reasons[error.found.partition(" (")[0]] += 1
        if (known := self._watched.pop(board, None)) is not None:
            self._selector.unregister(known.fd)
        now = time.monotonic()
        pause = board.lost(now)
        self._agenda.add(now + pause, partial(self._connect, board))


def _leave(board: Board) -> None:
    with contextlib.suppress(SinkError):  # its will says it then
        board.leave()
