"""What a watcher may ask: every packet becomes a wish or a command, or is refused in words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.control.commands import AT_BOARD, Feedback, Mute, PinTest, Reload, Threshold, Unmute, parse
from edge.errors import CommandError
from edge.settings import VERBS
from edge.sinks.watching.messages import answer_message
from edge.sinks.watching.requests import WANTS, Want, request_of

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=70),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
                    max_leaves=12)
FIELDS = st.dictionaries(st.sampled_from(("want", "command", "request", "seconds", "on", "target", "threshold", "pin", "id",
                                          "judgement", "x")), JSON | st.sampled_from((*AT_BOARD, *WANTS, ["bands"], [])),
                         max_size=5)


@pytest.mark.parametrize(("asked", "command"), [
    ({"command": "mute", "seconds": 600, "request": "m1"}, Mute("m1", 600)),
    ({"command": "unmute"}, Unmute()),
    ({"command": "reload", "request": "r"}, Reload("r")),
    ({"command": "mute", "on": False}, Mute(on=False)),
    ({"command": "threshold", "target": "clap", "threshold": None}, Threshold("clap", None)),
    ({"command": "feedback", "id": "019a", "judgement": "wrong"}, Feedback("019a", "wrong")),
    ({"command": "pin-test", "pin": 17}, PinTest("17")),
    ({"want": ["bands", "pins"], "request": "w"}, Want(frozenset({"bands", "pins"}), "w")),
    ({"want": ["sound"]}, Want(frozenset({"sound"}))), ({"want": []}, Want(frozenset()))])
def test_what_is_asked(asked: dict[str, Any], command: object) -> None:
    assert request_of(json.dumps(asked).encode()) == command


@pytest.mark.parametrize(("packet", "words"), [
    (b"", "no JSON"), (b"mute", "no JSON"), (b"[]", "found a list; wanted a JSON object"), (b"3", "found 3"),
    (b"{}", "found neither want nor command"), (b'{"command": 3}', "wanted one of mute, unmute"),
    (b'{"command": "reboot"}', "found 'reboot'; wanted one of mute, unmute, identify"),
    (b'{"command": ["mute"]}', "found a list"), (b'{"command": "mute", "command": "unmute"}', "twice"),
    (b'{"command": "mute", "volume": 3}', "found the field 'volume'"), (b'{"command": "threshold"}', "found nothing"),
    (b'{"command": "mute", "want": []}', "found the field 'want'"), (b'{"want": "bands"}', "wanted a list of bands"),
    (b'{"want": ["video"]}', "found 'video'"), (b'{"want": [["bands"]]}', "found a list"), (b'{"want": null}', "found None"),
    (b'{"want": [], "bands": 1}', "found the field 'bands'"), (b'{"want": [], "request": 5}', "found 5"),
    (b'{"want": ["' + b"x" * 1_024 + b'"]}', "wanted at most 1024"), (b"[" * 1_000, "JSON object"),
    (b'{"want": ["\xff"]}', "no UTF-8"), (b'{"command": "mute", "seconds": NaN}', "NaN")])
def test_what_cannot_be_done_is_refused_in_words(packet: bytes, words: str) -> None:
    with pytest.raises(CommandError) as refused:
        request_of(packet)
    assert words in str(refused.value)


def test_a_reload_is_the_boards_own_alone() -> None:
    with pytest.raises(CommandError, match=r"found 'reload'; wanted one of mute, .*, pin-test$"):
        parse("reload", b"", VERBS)


def test_the_request_of_a_refused_packet_is_echoed() -> None:
    for fields in ({"command": "reboot"}, {"command": 3}, {"command": "mute", "seconds": -1}, {"want": "x"}, {"a": 1}, {}):
        with pytest.raises(CommandError) as refused:
            request_of(json.dumps({**fields, "request": "r7"}).encode())
        assert refused.value.request == "r7"


@given(st.binary(max_size=1_100) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_understood_or_refused(packet: bytes) -> None:
    try:
        request_of(packet)
    except CommandError as error:
        assert len(str(error)) < 1_000


@given(FIELDS)
def test_any_fields_are_understood_or_refused_as_mqtt_would(fields: dict[str, Any]) -> None:
    """And the answer to it is a message of JSON."""
    try:
        asked = request_of(json.dumps(fields).encode())
    except CommandError as error:
        told = answer_message("unknown", error, error.request, None)
        assert told["ok"] is False and told["error"] and json.loads(json.dumps(told)) == told
        return
    if isinstance(asked, Want):
        assert asked.kinds == frozenset(fields["want"])
    else:
        others = {name: value for name, value in fields.items() if name != "command"}
        assert asked == parse(fields["command"], json.dumps(others).encode(), AT_BOARD)


def test_an_answer_has_these_names() -> None:
    told = answer_message("mute", {"muted": True, "seconds": None, "kept": True}, "m1", "2026-11-30T00:00:00.000Z")
    assert told == {"schema": 1, "kind": "answer", "at": "2026-11-30T00:00:00.000Z", "command": "mute", "request": "m1",
                    "ok": True, "error": None, "found": None, "wanted": None, "muted": True, "seconds": None, "kept": True}
    refused = answer_message("mute", CommandError("command mute", found="a\nb", wanted="c"), None, None)
    assert (refused["ok"], refused["error"], refused["found"]) == (False, "command mute: found a b; wanted c", "a b")
