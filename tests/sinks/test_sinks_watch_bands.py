"""Bands on the wire: quantised to half a dB, made only while somebody wants them, lost before events are."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edge.errors import SinkError
from edge.features.logmel import LogMel
from edge.sinks.watching.bands import DB_PER_NEPER, MOST_ROWS, bands_from, bands_messages
from edge.sinks.watching.messages import from_line, message, to_line
from edge.sinks.watching.sink import WatchSink
from edge.stream import Bands, Event
from tests.sinks.looking import look, wait_for

BEGIN = datetime(2026, 11, 30, 0, 0, 1, 250_000, UTC)


def rows_like(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-6.9, 5.7, (count, 64)).astype(np.float32)


def test_a_message_has_these_names_and_comes_back() -> None:
    rows = np.full((2, 64), np.log(0.001), np.float32)
    rows[1, 63] = 0.0
    (told,) = bands_messages(Bands(rows, 3_840, BEGIN), "2026-11-30T00:00:02.000Z")
    line = to_line(told)
    assert {name: value for name, value in from_line(line).items() if name != "cells"} == {
        "schema": 1, "kind": "bands", "at": "2026-11-30T00:00:02.000Z", "position": 3_840,
        "begins_at": "2026-11-30T00:00:01.250Z", "rows": 2, "bands": 64, "rows_per_second": 100, "step_db": 0.5,
        "offset_db": -60.0}
    assert b64decode(told["cells"]) == bytes(127) + b"\x78", "120 steps of half a dB over silence"
    assert np.abs(bands_from(from_line(line)) - rows).max() * DB_PER_NEPER <= 0.251


@given(st.integers(1, 3 * MOST_ROWS), st.integers(0, 9))
def test_rows_are_cut_into_messages_without_loss(count: int, seed: int) -> None:
    rows = rows_like(count, seed)
    told = list(bands_messages(Bands(rows, 160, BEGIN), None))
    assert [each["position"] for each in told] == [160 + 160 * MOST_ROWS * number for number in range(len(told))]
    assert [each["begins_at"][17:23] for each in told] == [f"{1.25 + number:06.3f}" for number in range(len(told))]
    assert np.abs(np.concatenate([bands_from(each) for each in told]) - rows).max() * DB_PER_NEPER <= 0.251
    assert all(len(to_line(each)) < 9_000 for each in told)


def test_the_loudest_sound_still_has_a_byte() -> None:
    loud = np.where(np.random.default_rng(1).random((500, 400)) < 0.5, -32_768, 32_767).astype(np.int16)
    rows = LogMel().rows(np.concatenate([loud, np.zeros((1, 400), np.int16)]))
    (cells,) = {bands_from(each).max() for each in bands_messages(Bands(rows[400:], 0, BEGIN), None) if each["rows"] == 100}
    assert abs(cells - rows[400:500].max()) * DB_PER_NEPER <= 0.251


def test_what_is_no_bands_is_refused_in_words() -> None:
    for wrong in ({}, {"cells": "?"}, {"cells": "AAAA", "rows": 2, "bands": 64, "step_db": 1, "offset_db": 0}):
        with pytest.raises(SinkError, match="the same edge-audio on both sides"):
            bands_from(message("bands", None, **wrong))


def test_only_who_wants_them_is_shown_any(watch_sink: WatchSink) -> None:
    keen, plain = look(watch_sink), look(watch_sink)
    assert not watch_sink.wants_bands
    keen.client.want("bands")
    wait_for(lambda: watch_sink.wants_bands)
    watch_sink.bands(Bands(rows_like(24), 3_840, BEGIN))
    keen.until(lambda _: bool(keen.kinds("bands")))
    keen.client.want()
    wait_for(lambda: not watch_sink.wants_bands)
    watch_sink.bands(Bands(rows_like(24), 7_680, BEGIN))
    watch_sink.pin("17", True)
    watch_sink.stop()
    for looker in (keen, plain):
        looker.until(lambda _: False)
    assert [told["position"] for told in keen.kinds("bands")] == [3_840] and not plain.kinds("bands")


def test_who_wanted_them_and_left_costs_nothing_more(watch_sink: WatchSink) -> None:
    keen = look(watch_sink)
    keen.client.want("bands")
    wait_for(lambda: watch_sink.wants_bands)
    keen.client.close()
    wait_for(lambda: not watch_sink.wants_bands)


def test_who_does_not_read_keeps_its_newest_events_and_loses_bands(watch_sink: WatchSink,
                                                                   make_event: Callable[..., Event]) -> None:
    deaf, other = look(watch_sink), look(watch_sink)
    for looker in (deaf, other):
        looker.client.want("bands")
        looker.until(lambda _, looker=looker: bool(looker.kinds("answer")))
    count = 200
    for number in range(count):
        watch_sink.bands(Bands(rows_like(24), 3_840 * number, BEGIN))
        other.until(lambda told, number=number: told[-1].get("position") == 3_840 * number)
    watch_sink.event(make_event("start"))
    deaf.until(lambda _: bool(deaf.kinds("event")))
    kept = len(deaf.kinds("bands"))
    assert 24 <= kept < count, "6 s at least, in hops of 0.24 s"
    watch_sink.event(make_event("end"))
    deaf.until(lambda _: bool(deaf.kinds("lost")))
    assert deaf.kinds("lost")[0]["messages"] == count - kept
