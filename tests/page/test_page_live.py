"""What the appliance tells reaches those who look at the page."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.control.loading import model_folder
from edge.model.manifest_file import load_manifest
from edge.model.taught import Judgement, Taught
from edge.model.taught_file import save_taught, undo_taught
from edge.page import live
from edge.page.viewers import QUEUED, Viewer
from edge.sinks.watching.sink import WatchSink
from tests.page.browser import PATIENCE_SECONDS, Browser, Look
from tests.page.made import event, hearing


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_hearings_and_events_reach_who_looks(appliance: WatchSink, browser: Browser) -> None:
    heard = event()
    with browser.look() as look:
        hello = look.until(lambda told: len(told) > 0)[0]
        assert hello["kind"] == "hello" and hello["away"] == ""
        assert hello["about"]["device"] == "kitchen" and hello["about"]["about"]["source"] == "ok"
        appliance.hearing(hearing(160))
        appliance.event(heard)
        look.until(lambda told: len(told) > 2)
    assert look.kinds("hearing")[0]["start"] == 160
    assert look.kinds("event")[0]["event"]["id"] == heard.id
    assert look.numbers == sorted(set(look.numbers))
    assert look.response.headers["Content-Type"].startswith("text/event-stream")
    state = browser.ask("/api/state").told
    assert state["hearing"]["start"] == 160 and [each["event"]["id"] for each in state["events"]] == [heard.id]


def test_the_same_stream_as_a_type_that_no_proxy_compresses(appliance: WatchSink, browser: Browser) -> None:
    with browser.look("?plain=1") as look:
        assert look.until(lambda told: len(told) > 0)[0]["kind"] == "hello"
        appliance.event(event())
        look.until(lambda told: told[-1]["kind"] == "event")
    assert look.response.headers["Content-Type"] == "application/octet-stream"


def test_who_comes_late_is_told_what_was_heard_before(appliance: WatchSink, browser: Browser) -> None:
    before = [event() for _ in range(3)]
    for each in before:
        appliance.event(each)
    with browser.look() as look:
        hello = look.until(lambda told: len(told) > 0)[0]
    assert [each["event"]["id"] for each in hello["events"]] == [each.id for each in before]


def test_how_an_event_was_judged_is_told_at_first_and_when_it_changes(state_dir: Path, appliance: WatchSink,
                                                                      browser: Browser) -> None:
    """`feedback` of the command line changes a file, and the page looks at it when somebody comes."""
    heard = [event(), event()]
    for each in heard:
        appliance.event(each)
    taught = Taught.nothing(load_manifest(model_folder("starter", state_dir)))
    cells = np.zeros(taught.columns, np.int8)

    def judged(look: Look) -> list[str | None]:
        return [each["judged"] for each in look.until(lambda told: told != [])[0]["events"]]

    with browser.look() as look:
        assert judged(look) == [None, None]
        said = Judgement(heard[1].id, "hand_clap", False, cells, "2026-11-29")
        save_taught(state_dir, replace(taught, judgements=(said,)))
        with browser.look() as later:
            assert judged(later) == [None, "wrong"]
        look.until(lambda told: told[-1]["kind"] == "judged")
        undo_taught(state_dir, "starter")
        assert [each["judged"] for each in browser.ask("/api/state").told["events"]] == [None, None]
        look.until(lambda told: len([each for each in told if each["kind"] == "judged"]) > 1)
        browser.ask("/api/state")
    assert [told["events"] for told in look.kinds("judged")] == [{heard[1].id: "wrong"}, {heard[1].id: None}]


def test_a_judgement_that_took_too_long_is_told_when_it_is_done(state_dir: Path, browser: Browser,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    """A refit on a busy board: the button said that nothing was learnt, and went on saying so."""
    monkeypatch.setattr(live, "ANSWER_SECONDS", 0.1)
    asked: list[Callable[[dict[str, object]], None]] = []

    def act(command: object, answer: Any) -> bool:
        asked.append(answer)
        return True

    sink = WatchSink(state_dir, "kitchen", act=act)
    sink.start()
    try:
        heard = event()
        sink.event(heard)
        browser.enter()
        with browser.look() as look:
            look.until(lambda told: told != [] and told[-1].get("away") == "")
            answer = browser.post("/api/command", {"command": "feedback", "id": heard.id, "judgement": "right"})
            assert answer.status == 503 and answer.told["found"] == "no answer in 0.1 s"
            taught = Taught.nothing(load_manifest(model_folder("starter", state_dir)))
            said = Judgement(heard.id, "hand_clap", True, np.zeros(taught.columns, np.int8), "2026-11-30")
            save_taught(state_dir, replace(taught, judgements=(said,)))
            asked[0]({"target": "hand_clap"})
            look.until(lambda told: told[-1]["kind"] == "judged")
        assert look.kinds("judged")[0]["events"] == {heard.id: "right"}
    finally:
        sink.stop()


def test_an_appliance_that_comes_later_and_starts_anew(state_dir: Path, browser: Browser) -> None:
    assert browser.ask("/api/state").told["away"] == "no appliance"
    assert browser.ask("/healthz").status == 503
    with browser.look() as look:
        look.until(lambda told: told != [])
        for number, device in enumerate(("first", "second")):
            sink = WatchSink(state_dir, device)
            sink.start()
            look.until(lambda told, device=device: any(each["kind"] == "hello" and each["away"] == ""  # type: ignore[misc]
                                                       and each["about"]["device"] == device for each in told))
            assert browser.ask("/healthz").body == b"ok\n"
            sink.stop()
            look.until(lambda told, number=number: len(  # type: ignore[misc]
                [each for each in told if each["kind"] == "away"]) > number)
    assert look.kinds("away")[0]["reason"] == "the appliance stopped"
    assert [each["about"]["device"] for each in look.kinds("hello")[1:]] == ["first", "second"]


def test_fifty_look_at_once_through_one_connection(appliance: WatchSink, browser: Browser) -> None:
    with ExitStack() as stack:
        looks = [stack.enter_context(browser.look()) for _ in range(50)]
        for look in looks:
            look.until(lambda told: told != [])
        assert len(appliance._audience.watchers) == 1
        heard = event()
        appliance.event(heard)
        for look in looks:
            look.until(lambda told: told[-1]["kind"] == "event")
            assert look.told[-1]["event"]["id"] == heard.id


@pytest.mark.big
def test_one_who_does_not_read_costs_the_others_nothing(appliance: WatchSink, browser: Browser) -> None:
    with socket.create_connection(("127.0.0.1", browser.port)) as stalled, browser.look() as look:
        stalled.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        stalled.sendall(f"GET /api/live HTTP/1.1\r\nHost: {browser.host}\r\n\r\n".encode())
        look.until(lambda told: told != [])
        for number in range(12 * QUEUED):
            appliance.hearing(hearing(number))
            if number % 16 == 0:
                look.until(lambda told, number=number: told[-1].get("start") == number)  # type: ignore[misc]
        assert not look.kinds("lost")


def test_a_slow_viewer_keeps_events_and_is_told_how_much_was_lost() -> None:
    viewer = Viewer(bands=False)
    for number in range(QUEUED + 100):
        viewer.offer(number, f"hearing {number}" if number else "event", minor=number != 0)
    taken = asyncio.run(viewer.take(1.0))
    assert taken[0][1] == '{"kind":"lost","messages":100}' and len(taken) == QUEUED + 1
    assert taken[1] == (0, "event") and taken[2] == (101, "hearing 101") and taken[-1][0] == QUEUED + 99
    for number in range(QUEUED + 7):
        viewer.offer(number, "event", minor=False)
    viewer.offer(QUEUED + 8, "hearing", minor=True)
    taken = asyncio.run(viewer.take(1.0))
    assert taken[0][1] == '{"kind":"lost","messages":8}'
    assert [number for number, _ in taken[1:]] == list(range(7, QUEUED + 7))
