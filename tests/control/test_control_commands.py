"""The parser of commands: what the schema has, nothing else, and never a crash. An oracle judges what it takes."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from edge.control.commands import Command, parse, verb_of
from edge.errors import SHOWN_LETTERS, CommandError, shown
from edge.settings import VERBS
from edge.topics import MOST_BYTES


@pytest.mark.parametrize(("verb", "payload", "fields"), [
    ("mute", b"{}", {"seconds": None, "on": True}),
    ("mute", b'{"on": true, "seconds": 5}', {"seconds": 5, "on": True}),
    ("mute", b'{"on": false}', {"on": False, "seconds": None}),
    ("mute", b'{"seconds": 60}', {"seconds": 60}),
    ("mute", b'{"seconds": 0.5, "request": "a b"}', {"seconds": 0.5, "request": "a b"}),
    ("unmute", b"", {}),
    ("identify", b' {"request": ""} ', {"request": ""}),
    ("feedback", b'{"id": "4f1c9a", "judgement": "wrong"}', {"id": "4f1c9a", "judgement": "wrong", "target": None}),
    ("feedback", b'{"id": "4f1c", "judgement": "right", "target": "clap"}', {"target": "clap", "judgement": "right"}),
    ("threshold", b'{"target": "clap", "threshold": 1}', {"target": "clap", "threshold": 1}),
    ("threshold", b'{"target": "clap", "threshold": null}', {"threshold": None}),
    ("pin-test", b'{"pin": "17"}', {"pin": "17"}),
    ("pin-test", b'{"pin": 17}', {"pin": "17"}),
    ("pin-test", '{"pin": "\u00dc"}'.encode(), {"pin": "\u00dc"}),
])
def test_what_the_schema_has_becomes_a_command(verb: str, payload: bytes, fields: dict[str, Any]) -> None:
    command = parse(verb, payload, VERBS)
    assert verb_of(command) == verb
    assert {"request": None, **asdict(command)} | fields == {"request": None, **asdict(command)}


@pytest.mark.parametrize(("verb", "payload", "found", "wanted"), [
    ("mute", b"", "nothing", "{} or more"),
    ("mute", b'{"seconds": true}', "True", "a number over 0"),
    ("mute", b'{"seconds": "60"}', "'60'", "a number over 0"),
    ("mute", b'{"seconds": 0}', "0", "a number over 0"),
    ("mute", b'{"seconds": -1}', "-1", "a number over 0"),
    ("mute", b'{"seconds": null}', "None", "a number over 0"),
    ("mute", b'{"seconds": NaN}', "NaN", "numbers that JSON knows"),
    ("mute", b'{"seconds": -Infinity}', "-Infinity", "numbers that JSON knows"),
    ("mute", b'{"seconds": 1e999}', "inf", "at most 2678400"),
    ("mute", b'{"seconds": ' + b"9" * 900 + b"}", "a whole number of many digits", "at most 2678400"),
    ("mute", b'{"second": 60}', "the field 'second'", "no fields but seconds, on, request"),
    ("mute", b'{"seconds": 1, "seconds": 2}', "the field 'seconds' twice", "each field once"),
    ("mute", b'{"on": 0}', "0", "true or false"),
    ("mute", b'{"on": "false"}', "'false'", "true or false"),
    ("mute", b'{"on": false, "seconds": 5}', "5", "none beside on = false"),
    ("mute", b"[]", "a list", "a JSON object"),
    ("mute", b"60", "60", "a JSON object"),
    ("mute", b"null", "None", "a JSON object"),
    ("mute", b"on", "no JSON: 'on'", "a JSON object"),
    ("mute", b"\xff{}", "bytes that are no UTF-8 at 0", "a JSON object"),
    ("mute", b"\xef\xbb\xbf{}", "no JSON", "a JSON object"),
    ("mute", b"{}" + b" " * MOST_BYTES, "1026 bytes", "at most 1024"),
    ("mute", b"[" * 1000, "", ""),
    ("mute", b"[" * 500 + b"]" * 500, "", ""),
    ("mute", b'{"a":' * 170 + b"1" + b"}" * 170, "the field 'a'", "no fields but"),
    ("mute", b'{"request": "' + b"r" * 65 + b'"}', "'rrrr", "0 to 64 printable letters"),
    ("mute", b'{"request": "a\\nb"}', r"'a\nb'", "printable"),
    ("mute", b'{"request": "\\ud800"}', r"'\ud800'", "printable"),
    ("unmute", b'{"seconds": 1}', "the field 'seconds'", "no fields but request"),
    ("feedback", b'{"id": "4f1"}', "'4f1'", "4 to 36"),
    ("feedback", b'{"id": "4f1c"}', "nothing", "id, judgement, target, request"),
    ("feedback", b'{"id": "4f1c", "judgement": "Right"}', "'Right'", '"right" or "wrong"'),
    ("feedback", b'{"id": "4f1c", "judgement": ["right"]}', "a list", '"right" or "wrong"'),
    ("threshold", b'{"target": "clap"}', "nothing", "a number over 0, at most 1, or null, in an object with no fields but"),
    ("threshold", b'{"target": "clap", "threshold": 1.01}', "1.01", "over 0, at most 1, or null"),
    ("threshold", b'{"target": "clap", "threshold": 0}', "0", "over 0, at most 1, or null"),
    ("threshold", b'{"target": "", "threshold": 0.5}', "''", "1 to 128"),
    ("pin-test", b'{"pin": 17.0}', "17.0", "the pin's number, or its name in quotes"),
    ("pin-test", b'{"pin": -1}', "-1", "the pin's number"),
    ("pin-test", b'{"pin": true}', "True", "the pin's number"),
    ("pin-test", b'{"pin": ""}', "''", "the pin's number"),
    ("reboot", b"", "'reboot'", "one of mute, unmute, identify"),
    ("", b"", "''", "one of"),
])
def test_anything_else_is_refused_with_what_was_found_and_wanted(verb: str, payload: bytes, found: str, wanted: str) -> None:
    with pytest.raises(CommandError) as error:
        parse(verb, payload, VERBS)
    assert found in error.value.found and wanted in error.value.wanted
    assert len(error.value.found) < 100 and error.value.found.isascii() and error.value.found.isprintable()


def test_only_what_the_settings_allow_is_done() -> None:
    with pytest.raises(CommandError, match=r"'unmute', which \[command\] allow does not list; wanted one of mute"):
        parse("unmute", b"", ("mute",))
    with pytest.raises(CommandError, match=r"does not list unmute"):
        parse("mute", b'{"on": false}', ("mute",))
    with pytest.raises(CommandError, match="wanted no command"):
        parse("mute", b"", ())


def test_the_request_is_echoed_where_it_is_good() -> None:
    with pytest.raises(CommandError) as error:
        parse("mute", b'{"seconds": 0, "request": "r7"}', VERBS)
    assert error.value.request == "r7"
    with pytest.raises(CommandError) as error:
        parse("mute", b'{"seconds": 0, "request": "a\\u0000"}', VERBS)
    assert error.value.request is None


@pytest.mark.parametrize("value", ["x" * 10_000, "\0" * 50, "\ud800" * 50, 10 ** 500, [[]], {"a": 1}, 1.5, None, "é\n"])
def test_what_is_echoed_is_short_and_printable(value: object) -> None:
    text = shown(value)
    assert len(text) <= SHOWN_LETTERS + 3 and text.isascii() and text.isprintable()


# The fuzzer. The oracle below is written anew from README's table, and shares nothing with the parser.

FIELDS = {"mute": ({"seconds", "on"}, set()), "unmute": (set(), set()), "identify": (set(), set()),
          "feedback": ({"id", "judgement", "target"}, {"id", "judgement"}),
          "threshold": ({"target", "threshold"}, {"target", "threshold"}), "pin-test": ({"pin"}, {"pin"})}


def lawful(verb: str, payload: bytes) -> dict[str, Any]:
    """The fields of a payload that may be acted upon. Fails for one that may not."""
    assert len(payload) <= 1024
    seen: list[list[str]] = []

    def note(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen.append([name for name, _ in pairs])
        return dict(pairs)

    assert payload or verb != "mute"
    fields = json.loads(str(payload, "utf-8"), object_pairs_hook=note) if payload else {}
    assert isinstance(fields, dict)
    assert all(len(names) == len(set(names)) for names in seen)
    may, must = FIELDS[verb]
    assert must <= set(fields) <= may | {"request"}
    for name, value in fields.items():
        if name == "on":
            assert value is True or (value is False and "seconds" not in fields)
        elif name in ("seconds", "threshold"):
            if name == "threshold" and value is None:
                continue
            assert not isinstance(value, (bool, str)) and math.isfinite(value)
            assert 0 < value <= (1 if name == "threshold" else 31 * 24 * 3600)
        elif name == "pin" and isinstance(value, int):
            assert value in range(1_000) and not isinstance(value, bool)
            fields = {**fields, "pin": f"{value:d}"}
        else:
            assert isinstance(value, str)
            assert all(letter == " " or letter.isprintable() for letter in value)
            low, high = {"request": (0, 64), "id": (4, 36), "judgement": (5, 5), "target": (1, 128), "pin": (1, 32)}[name]
            assert low <= len(value) <= high
            assert name != "judgement" or value in ("right", "wrong")
    return fields


def obey(verb: str, payload: bytes, allowed: tuple[str, ...]) -> bool:
    """Parse; whatever is taken must be lawful and say what the payload says, whatever is not must be said well."""
    try:
        command: Command = parse(verb, payload, allowed)
    except CommandError as error:
        assert 0 < len(error.found) < 100 and error.found.isascii() and error.found.isprintable()
        assert 0 < len(error.wanted) < 200 and error.wanted.isprintable()
        assert error.request is None or (len(error.request) <= 64 and error.request.isprintable())
        return False
    assert verb in allowed and verb in FIELDS
    fields = lawful(verb, payload)
    assert fields.get("on", True) or "unmute" in allowed
    default = {"on": True} if verb == "mute" else {}
    assert {name: value for name, value in asdict(command).items() if value is not None} == default | {
        name: value for name, value in fields.items() if value is not None}
    return True


NAMES = st.sampled_from(["seconds", "on", "request", "id", "judgement", "target", "threshold", "pin", "Seconds", "", "\0"])
NUMBERS = st.one_of(st.integers(), st.floats(), st.sampled_from([0, 1, 0.5, 60, 1e308, 2678400, 2678400.1, -0.0, 10 ** 400]))
TEXTS = st.one_of(st.text(max_size=140), st.sampled_from(["right", "wrong", "clap", "4f1c", "17", "r" * 64, "r" * 65]))
VALUES = st.recursive(st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
                      lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
                      max_leaves=6)
LIKELY = {
    "mute": {"seconds": NUMBERS, "on": st.booleans()}, "unmute": {}, "identify": {},
    "pin-test": {"pin": st.one_of(TEXTS, NUMBERS)},
    "feedback": {"id": TEXTS, "judgement": TEXTS, "target": TEXTS},
    "threshold": {"target": TEXTS, "threshold": NUMBERS}}


@st.composite
def payloads(draw: st.DrawFn) -> tuple[str, bytes]:
    """Now close to the schema, now a field off, now torn or stuffed with other bytes, now nothing but bytes."""
    verb = draw(st.one_of(st.sampled_from(VERBS), st.text(max_size=40)))
    kind = draw(st.integers(0, 5))
    if kind == 0:
        return verb, draw(st.binary(max_size=1100))
    if kind == 1:
        return verb, draw(st.sampled_from([b"[", b'{"a":', b"{", b'"', b"9", b" "])) * draw(st.integers(0, 1100))
    names = LIKELY.get(verb, {})
    pairs = [(name, draw(values)) for name, values in names.items() if draw(st.integers(0, 9))]
    if draw(st.booleans()):
        pairs.append(("request", draw(TEXTS)))
    if kind == 2:
        pairs += draw(st.lists(st.tuples(NAMES, VALUES), max_size=3))
    text = ", ".join(f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=draw(st.booleans()))}" for name, value in pairs)
    whole = f"{{{text}}}".encode("utf-8", "surrogatepass")
    if kind == 3:
        at = draw(st.integers(0, len(whole)))
        whole = whole[:at] + draw(st.binary(max_size=4)) + whole[at + draw(st.integers(0, 3)):]
    return verb, whole


def fuzz(examples: int, number: int = -1) -> None:
    """Try so many payloads; number: another series for each, -1: the same one every time."""
    @seed(number)
    @settings(max_examples=examples, deadline=None, database=None, derandomize=number < 0,
              suppress_health_check=list(HealthCheck))
    @given(payloads(), st.one_of(st.just(VERBS), st.lists(st.sampled_from(VERBS), max_size=3).map(tuple)))
    def tried(sent: tuple[str, bytes], allowed: tuple[str, ...]) -> None:
        outcomes[obey(*sent, allowed)] += 1

    outcomes = {True: 0, False: 0}
    tried()
    print(f"{sum(outcomes.values())} payloads tried, {outcomes[True]} of them taken")
    assert sum(outcomes.values()) >= examples and outcomes[True] >= examples / 50 and outcomes[False] >= examples / 2


@pytest.mark.big
@pytest.mark.parametrize("number", range(4))  # four workers may share them
def test_no_payload_crashes_the_parser_or_gets_past_the_schema(number: int) -> None:
    fuzz(1_250, 100 + number)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(20))
def test_nor_does_any_of_a_hundred_thousand(number: int) -> None:
    fuzz(5_000, number)


@pytest.mark.parametrize("verb", VERBS)
def test_the_oracle_is_awake(verb: str) -> None:
    """A parser that took these would be found out."""
    for payload in (b'{"other": 1}', b'{"request": 1}', b"[]", b'{"request": "a", "request": "a"}'):
        with pytest.raises(AssertionError):
            lawful(verb, payload)
