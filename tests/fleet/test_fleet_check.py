"""What the check says of messages that came, came twice, came late in order, or did not come."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from deploy.fleet.check import Check, Verdict
from edge.settings import MqttSettings
from edge.sinks.mqtt.client import Received

MADE = {"one": ["a", "a", "b", "b"], "two": ["c", "c"]}


def event(board: str, sequence: int, id_: str) -> tuple[str, str, bool]:
    return f"edge-audio/{board}/event/clap", json.dumps({"id": id_, "sequence": sequence}), False


def dropped(board: str, first: int, last: int) -> tuple[str, str, bool]:
    return f"edge-audio/{board}/dropped", json.dumps({"first": first, "last": last}), False


ALL = [event("one", 1, "a"), event("one", 2, "a"), event("one", 3, "b"), event("one", 4, "b"), event("two", 1, "c"),
       event("two", 2, "c")]


@pytest.mark.parametrize(("come", "verdict"), [
    (ALL, Verdict(6, 0, 0, 0, 0, 0)),
    ([], Verdict(0, 6, 0, 0, 0, 0)),
    (ALL[:3], Verdict(3, 3, 0, 0, 0, 0)),
    ([*ALL, ALL[0], ALL[0], ALL[5]], Verdict(6, 0, 3, 0, 0, 0)),
    ([ALL[1], ALL[0], *ALL[2:]], Verdict(6, 0, 0, 1, 0, 0)),
    ([*ALL[:2], dropped("one", 3, 4), *ALL[4:]], Verdict(4, 0, 0, 0, 0, 0)),
    ([*ALL[:2], dropped("two", 3, 4), *ALL[4:]], Verdict(4, 2, 0, 0, 0, 0)),
    ([*ALL[:2], dropped("one", 4, 9), *ALL[4:]], Verdict(4, 1, 0, 0, 0, 0)),
    ([*ALL, event("one", 4, "other"), event("three", 1, "a"), ("edge-audio/two/event/clap", "?", False)],
     Verdict(6, 0, 0, 0, 3, 0)),
], ids=["all", "none", "half", "copies", "disorder", "dropped", "dropped by another", "partly dropped", "strangers"])
def test_a_verdict(come: list[tuple[str, str, bool]], verdict: Verdict) -> None:
    check = Check([MqttSettings(host="nowhere")])
    hear: Callable[[Received], None] = check._hear
    for topic, payload, retained in come:
        hear(Received(topic, payload.encode(), retained))
    assert check.verdict(MADE) == verdict
