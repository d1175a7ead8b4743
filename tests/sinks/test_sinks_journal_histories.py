"""Made-up histories: events, deliveries, kills, restarts, a disk that fails and damage, in any order; nothing is lost."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from edge import journal_file
from edge.messages import Dropped, Message
from tests.sinks.journal_process import Process


class History:
    """A device over many runs, and what its subscriber knows."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.chance, self._folder, self._runs = random.Random(seed), folder, 0
        self.made: dict[str, int] = {}
        self.came: dict[int, set[str]] = {}
        self.told: list[Dropped] = []
        (folder / "0").mkdir()
        self.process = Process(folder / "0")
        self._lock: sqlite3.Connection | None = None

    def make(self) -> None:
        before = set(self.process.waiting())
        self.process.make(self.chance.randrange(1, 6))
        if not self.process.outbox.unsaved:
            self.made |= {body: number for number, body in self.process.waiting().items() if number not in before}

    def send(self, most: int) -> None:
        """Some is sent, and of that some is acknowledged; the rest waits again."""
        for _ in range(self.chance.randrange(most + 1)):
            if (taken := self.process.outbox.take()) is None:
                break
            if isinstance(taken, Message):
                self.came.setdefault(taken.sequence, set()).add(taken.body)
            else:
                self.told.append(taken)
            if self.chance.random() < 0.8:
                self.process.outbox.acknowledge(taken)
        self.process.outbox.give_back()

    def forget(self) -> None:
        """What was acknowledged goes from the file."""
        self.process.writer.write((), (), at_once=True)

    def kill(self) -> None:
        self._unlock()
        old, self._runs = self.process, self._runs + 1
        folder = old.killed(self._folder / str(self._runs))
        old.writer.close()
        self.process = Process(folder)

    def stop(self) -> None:
        self.forget()
        self.process.writer.close()
        self._unlock()
        self.process = Process(self.process.path.parent)

    def fail(self) -> None:
        """Nothing can be written from now on, but the numbers."""
        self._unlock()
        if self.process.path.exists():
            self._lock = sqlite3.connect(self.process.path)
            try:
                self._lock.execute("BEGIN IMMEDIATE")
            except sqlite3.Error:  # damaged, and not found to be yet
                self._unlock()

    def mend(self) -> None:
        self._unlock()

    def cut(self) -> None:
        """While it runs."""
        self._harm([""], lambda path: os.truncate(path, self.chance.randrange(path.stat().st_size + 1)))
        self.make()

    def cut_log(self) -> None:
        self._harm(["-wal"], lambda path: os.truncate(path, self.chance.randrange(path.stat().st_size + 1)))
        self.make()

    def delete(self) -> None:
        self._harm(["", "-wal", "-shm"], Path.unlink)
        self.make()

    def cut_between(self) -> None:
        """While nobody has it."""
        self.process.writer.close()
        self._unlock()
        self._harm([""], lambda path: os.truncate(path, self.chance.randrange(path.stat().st_size + 1)))
        self.process = Process(self.process.path.parent)

    def _harm(self, endings: list[str], how: object) -> None:
        self._unlock()
        for ending in endings:
            path = self.process.path.with_name(self.process.path.name + ending)
            if path.exists():
                how(path)  # type: ignore[operator]

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def end(self) -> None:
        self._unlock()
        self.forget()
        while not self.process.outbox.finished:
            self.send(1_000)
        self.process.writer.close()

    def told_of(self, number: int) -> bool:
        return any(each.first <= number <= each.last for each in self.told)


STEPS = ["make"] * 8 + ["send"] * 6 + ["forget"] * 2 + ["kill"] * 3 + ["stop", "fail", "fail", "mend"]
HARM = ["cut", "cut_log", "delete", "cut_between"]


@pytest.mark.parametrize("seed", range(int(os.environ.get("HISTORIES", "40"))))
def test_a_history_loses_nothing(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "BUSY_SECONDS", 0.001)
    history = History(tmp_path, seed)
    steps = STEPS + HARM * (seed % 3)
    for _ in range(60):
        step = history.chance.choice(steps)
        if step == "send":
            history.send(history.chance.choice([1, 5, 100]))
        else:
            getattr(history, step)()
    history.end()
    came = {body for bodies in history.came.values() for body in bodies}
    assert [number for body, number in history.made.items() if body not in came and not history.told_of(number)] == []
    assert [number for number, bodies in history.came.items() if len(bodies) > 1] == []
    newest = max(history.came, default=0)
    assert [number for number in range(1, newest + 1) if number not in history.came and not history.told_of(number)] == []
