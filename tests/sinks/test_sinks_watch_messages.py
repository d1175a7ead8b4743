"""What a watcher is told: the names are pinned, for scripts of others read them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from edge.errors import SinkError
from edge.sinks.watching.messages import (
    event_from,
    event_message,
    from_line,
    hearing_from,
    hearing_message,
    message,
    to_line,
)
from edge.stream import Event, Hearing, TargetHearing

HEARING = Hearing(3_840, -31.4, -60.5, True, (("hand_clap", 0.8378), ("cough", 0.25)), (
    TargetHearing("hand_clap", "hand_clap", 0.8378, 0.5683, True, ""),
    TargetHearing("typing", "", None, 0.75, False, "under the threshold")))


def test_a_hearing_has_these_names_and_comes_back_as_it_was() -> None:
    told = from_line(to_line(hearing_message(HEARING, 15_600, "2026-11-24T12:00:00.000Z")))
    assert told == {
        "schema": 1, "kind": "hearing", "at": "2026-11-24T12:00:00.000Z", "start": 3_840, "end": 19_440,
        "level_dbfs": -31.4, "noise_dbfs": -60.5, "gate_open": True,
        "top": [{"label": "hand_clap", "score": 0.8378}, {"label": "cough", "score": 0.25}],
        "targets": [{"target": "hand_clap", "label": "hand_clap", "probability": 0.8378, "threshold": 0.5683,
                     "running": True, "refused": ""},
                    {"target": "typing", "label": "", "probability": None, "threshold": 0.75, "running": False,
                     "refused": "under the threshold"}]}
    assert hearing_from(told) == HEARING


@pytest.mark.parametrize("phase", ["start", "end"])
def test_an_event_is_the_brokers_payload_with_its_positions_and_comes_back(make_event: Callable[..., Event],
                                                                           phase: str) -> None:
    event = make_event(phase)
    event = replace(event, started_at=event.started_at.replace(microsecond=0),
                    ended_at=event.ended_at and event.ended_at.replace(microsecond=0))
    told = from_line(to_line(event_message(event, "kitchen", None)))
    assert list(told) == ["schema", "kind", "at", "start", "end", "event"]
    assert told["event"]["device"] == "kitchen" and told["event"]["schema"] == 1
    assert event_from(told) == event


def test_a_message_is_one_line_of_plain_json() -> None:
    line = to_line(message("about", None, device="a\nb", about={"source": "no microphone", "level": float("nan")}))
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert json.loads(line)["about"] == {"source": "no microphone", "level": None}


@pytest.mark.parametrize("line", [b"", b"{", b"3", b"[]", b"{}", b'{"schema":1}',
                                  b'{"schema":2,"kind":"hearing"}', b"\xff\xfe"])
def test_what_is_no_message_is_refused_in_words(line: bytes) -> None:
    with pytest.raises(SinkError, match="the same edge-audio on both sides"):
        from_line(line)


def test_a_message_without_its_names_is_refused_in_words() -> None:
    for read in (hearing_from, event_from):
        with pytest.raises(SinkError, match="the same edge-audio on both sides"):
            read(message("hearing", None, start=0))
