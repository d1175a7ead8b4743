"""A connection that comes and goes for ever does not fill the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from edge.cli.demonstration.broker import PrivateBroker
from edge.sinks.bucket import Bucket
from edge.sinks.mqtt.sink import SAY_CHANGES


@pytest.mark.big
def test_the_first_connections_are_said_and_then_that_not_every_one_is(
        broker: PrivateBroker, make_door: Callable[..., Any], start_mqtt: Callable[..., Any],
        until: Callable[[Callable[[], bool]], None], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    door, made = make_door(broker.port), iter(range(1, 100))
    reached = next(made)

    def no_pause() -> float:
        nonlocal reached
        reached = next(made)
        return 2.0

    sink = start_mqtt(replace(broker.settings(), port=door.port), chance=no_pause)
    for number in range(1, SAY_CHANGES + 6):
        until(lambda: sink.state == "connected")
        door.cut()
        until(lambda number=number: reached > number)  # type: ignore[misc]
    until(lambda: sink.state == "connected")
    words = [record.getMessage() for record in caplog.records]
    assert sum("mqtt: connected" in line for line in words) == SAY_CHANGES
    assert sum("is away" in line for line in words) == SAY_CHANGES
    assert [line for line in words if "again and again" in line] == [
        f"mqtt: the connection to broker 127.0.0.1:{door.port} is lost and made again and again; not every time is said"]


def test_a_bucket_gives_so_many_at_once_and_then_one_in_so_long() -> None:
    now = 0.0
    bucket = Bucket(3, 0.5, lambda: now)
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
    now = 1.9
    assert not bucket.take()
    now = 2.1
    assert [bucket.take() for _ in range(2)] == [True, False]
    now = 1000.0
    assert [bucket.take() for _ in range(4)] == [True, True, True, False]
