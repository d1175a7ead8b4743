"""Made-up histories: events, deliveries, kills, restarts, a disk that fails and damage, in any order; nothing is lost."""

from __future__ import annotations

import os
import random
import sqlite3
from pathlib import Path

import pytest

from edge.sinks.journal import file as journal_file
from edge.sinks.messages import Dropped, Message
from tests.sinks.journal_process import START, Process

pytestmark = pytest.mark.big


class History:
    """A device over many runs, and what its subscriber knows."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._most, self._steps = 20 if seed % 2 else 10_000, 0
        self.chance, self._folder, self._runs = random.Random(seed), folder, 0
        self.made: dict[str, int] = {}
        self.came: dict[int, set[str]] = {}
        self.told: list[Dropped] = []
        (folder / "0").mkdir()
        self.process = self._start(folder / "0")
        self._lock: sqlite3.Connection | None = None

    def _start(self, folder: Path) -> Process:
        return Process(folder, most=self._most, utc=lambda: START.timestamp() + self._steps)

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
        self.process = self._start(folder)

    def stop(self) -> None:
        self.forget()
        self.process.writer.close()
        self._unlock()
        self.process = self._start(self.process.path.parent)

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
        self._harm([""], lambda path: os.truncate(path, self.chance.randrange(path.stat().st_size + 1)))
        self.process = self._start(self.process.path.parent)

    def hide(self) -> None:
        """A start cannot read anything; later it can."""
        folder = self.process.path.parent
        self._unlock()
        self.process.writer.close()
        folder.rename(folder.with_name("hidden"))
        folder.write_text("a file where the folder should be")
        self.process = self._start(folder)
        for step in self.chance.choices(["make", "send", "forget"], k=self.chance.randrange(5)):
            self.step(step)
        folder.unlink()
        folder.with_name("hidden").rename(folder)
        self.forget()

    def step(self, step: str) -> None:
        """One after the other, with a minute between."""
        self._steps += 60
        if step == "send":
            self.send(self.chance.choice([1, 5, 100]))
        else:
            getattr(self, step)()

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

    def holes(self) -> list[int]:
        """Numbers before which one neither came nor is told."""
        ends = [(number, number) for number in self.came] + [(each.first, each.last) for each in self.told]
        newest, holes = 0, []
        for first, last in sorted(ends):
            if first > newest + 1:
                holes.append(first)
            newest = max(newest, last)
        return holes


STEPS = ["make"] * 8 + ["send"] * 6 + ["forget"] * 2 + ["kill"] * 3 + ["stop", "fail", "fail", "mend"]
HARM = ["cut", "cut_log", "delete", "cut_between", "hide"]


@pytest.mark.parametrize("seed", range(int(os.environ.get("HISTORIES", "40"))))
def test_a_history_loses_nothing(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_file, "BUSY_SECONDS", 0.001)
    history = History(tmp_path, seed)
    steps = STEPS + HARM * (seed % 3)
    for _ in range(60):
        history.step(history.chance.choice(steps))
    history.end()
    came = {body for bodies in history.came.values() for body in bodies}
    assert [number for body, number in history.made.items() if body not in came and not history.told_of(number)] == []
    assert [number for number, bodies in history.came.items() if len(bodies) > 1] == []
    assert history.holes() == []
