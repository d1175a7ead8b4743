"""A sink's thread takes a single item at once, and gathers where more wait."""

from __future__ import annotations

import threading
import time

from edge.sinks.worker import Worker

PATIENCE_SECONDS, FOR_EVER = 60.0, 3_600.0


def test_an_item_that_waits_alone_is_not_held_back() -> None:
    """Every event was held for 10 ms to gather others, though none came: the subscriber heard of each clap so much later."""
    taken, came = list[list[int]](), threading.Event()

    def step(items: list[int]) -> None:
        taken.append(items)
        came.set()

    worker = Worker("test", step, most=10, gather_seconds=FOR_EVER)
    worker.start()
    worker.put(1)
    assert came.wait(PATIENCE_SECONDS)
    assert worker.stop(PATIENCE_SECONDS)
    assert taken == [[1], []]


def test_where_more_than_one_waits_others_are_gathered() -> None:
    taken, entered, goes_on = list[list[int]](), threading.Event(), threading.Event()

    def step(items: list[int]) -> None:
        taken.append(items)
        entered.set()
        assert goes_on.wait(PATIENCE_SECONDS)

    worker = Worker("test", step, most=10, gather_seconds=FOR_EVER)
    worker.start()
    worker.put(1)
    assert entered.wait(PATIENCE_SECONDS)
    for item in (2, 3):
        worker.put(item)
    goes_on.set()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while worker.busy_seconds and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.put(4)
    assert worker.stop(PATIENCE_SECONDS)
    assert taken == [[1], [2, 3, 4]]
