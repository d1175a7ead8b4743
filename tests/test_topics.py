"""The names that scripts of others rely on. A change here breaks somebody's automation: raise SCHEMA and say so."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from edge import topics
from edge.errors import SettingsError
from edge.stream import Event
from edge.topics import Topics, answer_payload, check_level, encode, event_payload

START = Event(id="0192f0c1-0000-7000-8000-000000000001", sequence=7, phase="start", target="clap", label="hand_clap",
              probability=0.93125, score=0.41, start=16_000, end=None,
              started_at=datetime(2026, 11, 22, 13, 32, 26, 123_456, UTC), ended_at=None, level_dbfs=-23.456)
END = replace(START, phase="end", end=16_000 + 4_000, ended_at=START.started_at + timedelta(seconds=0.25))


def test_every_topic_is_pinned() -> None:
    names = Topics("edge-audio", "kitchen")
    assert names.status == "edge-audio/kitchen/status"
    assert names.event("clap") == "edge-audio/kitchen/event/clap"
    assert names.state("clap") == "edge-audio/kitchen/state/clap"
    assert names.health == "edge-audio/kitchen/health"
    assert names.command("mute") == "edge-audio/kitchen/command/mute"
    assert names.commands == "edge-audio/kitchen/command/+"
    assert names.response("pin-test") == "edge-audio/kitchen/response/pin-test"
    assert names.muted == "edge-audio/kitchen/muted"
    assert names.pin("J8:11") == "edge-audio/kitchen/pin/J8:11"
    assert names.dropped == "edge-audio/kitchen/dropped"


def test_every_word_is_pinned() -> None:
    assert (topics.ONLINE, topics.OFFLINE, topics.ON, topics.OFF) == ("online", "offline", "ON", "OFF")
    assert topics.SCHEMA == 1


def test_payload_of_a_start_is_pinned() -> None:
    assert event_payload(START, device="kitchen", late=False) == {
        "schema": 1, "id": "0192f0c1-0000-7000-8000-000000000001", "phase": "start", "sequence": 7,
        "device": "kitchen", "target": "clap", "label": "hand_clap", "probability": 0.9313, "score": 0.41,
        "started_at": "2026-11-22T13:32:26.123Z", "ended_at": None, "duration_seconds": None,
        "level_dbfs": -23.5, "clock_synchronised": True, "late": False}


def test_an_answer_is_pinned() -> None:
    assert answer_payload("mute", request="r1", more={"seconds": 60.0}) == {
        "schema": 1, "verb": "mute", "request": "r1", "ok": True, "found": None, "wanted": None, "seconds": 60.0}
    assert answer_payload("mute", request=None, found="a", wanted="b") == {
        "schema": 1, "verb": "mute", "request": None, "ok": False, "found": "a", "wanted": "b"}


def test_payload_of_an_end_has_the_end_and_the_duration() -> None:
    payload = event_payload(END, device="kitchen", late=True)
    assert list(payload) == list(event_payload(START, device="kitchen", late=False))
    assert payload["id"] == START.id
    assert payload["ended_at"] == "2026-11-22T13:32:26.373Z"
    assert payload["duration_seconds"] == 0.25
    assert payload["late"] is True


def test_other_time_zones_are_told_as_utc() -> None:
    there = START.started_at.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert event_payload(replace(START, started_at=there), device="k", late=False)["started_at"] \
        == "2026-11-22T13:32:26.123Z"


def test_whole_seconds_keep_their_milliseconds() -> None:
    assert topics.rfc3339(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000Z"


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf, -500.0, 1e9])
def test_payload_is_json_whatever_the_numbers(odd: float) -> None:
    event = replace(START, level_dbfs=odd, probability=odd, score=odd)
    payload = json.loads(encode(event_payload(event, device="k", late=False)))
    assert -120.0 <= payload["level_dbfs"] <= 0.0
    assert 0.0 <= payload["probability"] <= 1.0
    assert 0.0 <= payload["score"] <= 1.0


def test_numpy_numbers_are_told_as_plain_ones() -> None:
    np = pytest.importorskip("numpy")
    event = replace(START, level_dbfs=np.float32(-20), probability=np.float32(0.5), score=np.float32(0.25))
    payload = json.loads(encode(event_payload(event, device="k", late=False)))
    assert (payload["probability"], payload["score"], payload["level_dbfs"]) == (0.5, 0.25, -20.0)


def test_encode_is_compact_and_one_line() -> None:
    assert encode({"a": 1, "b": [1.5, math.nan], "c": {"d": -math.inf}}) == '{"a":1,"b":[1.5,null],"c":{"d":null}}'
    assert "\n" not in encode({"text": "two\nlines"})


@pytest.mark.parametrize("name", ["", "a/b", "a+", "#", "nul\0", "tab\t", "line\n", "$SYS", "\ud800"])
def test_a_name_that_is_no_topic_level_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=r"\[\[target\]\] name: found .* wanted"):
        check_level(name, thing="[[target]] name")
    with pytest.raises(SettingsError, match=r"\[mqtt\] prefix"):
        Topics(name, "kitchen")
    with pytest.raises(SettingsError, match=r"\[device\] name"):
        Topics("edge-audio", name)
    with pytest.raises(SettingsError, match=r"\[\[target\]\] name"):
        Topics("edge-audio", "kitchen").event(name)


@pytest.mark.parametrize("name", ["clap", "front door", "Küche", "a-b_c.9", "a$b"])
def test_ordinary_names_pass(name: str) -> None:
    assert check_level(name, thing="x") == name
