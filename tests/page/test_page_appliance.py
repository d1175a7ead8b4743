"""The page before a whole appliance: bands only while somebody looks at them, commands and their answers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.app import Appliance, build
from edge.settings import LogSettings, Settings, TargetSettings
from edge.settings.pins import PinSettings
from edge.stream import Block
from tests.control.commanding import EndlessSource, hearing
from tests.page.browser import PATIENCE_SECONDS, Browser, Look

pytestmark = pytest.mark.big

SETTINGS = Settings(target=(TargetSettings(name="hand_clap"),), log=LogSettings(events=""),
                    pin=(PinSettings(pin="17", target="hand_clap", factory="simulated"),))


class Claps(EndlessSource):
    """Twice as fast as they sound: a busy machine must not lose bands on the way."""

    def blocks(self) -> Iterator[Block | None]:
        for block in super().blocks():
            time.sleep(0.045)
            yield block


@pytest.fixture
def heard(state_dir: Path) -> Iterator[Appliance]:
    """An appliance that hears claps, again and again."""
    settings = replace(SETTINGS, device=replace(SETTINGS.device, name="kitchen"))
    appliance = build(settings, state_dir, source=Claps())
    with hearing(appliance):
        yield appliance


def about(browser: Browser, until: Callable[[Any], bool]) -> Any:
    """What the appliance says of itself, once it says that."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        told = browser.ask("/api/state").told
        if "about" in told and until(told["about"]["about"]):
            return told["about"]["about"]
        assert time.monotonic() < deadline, told
        time.sleep(0.05)


def test_a_clap_is_seen_with_its_bands_pins_and_targets(heard: Appliance, browser: Browser) -> None:
    with browser.look("?bands=1") as look:
        look.until(lambda told: {"event", "bands", "hearing", "pins", "health"} <= {each["kind"] for each in told})
        hello = look.kinds("hello")[-1]
        assert hello["about"]["about"]["targets"][0]["target"] == "hand_clap"
        event = look.kinds("event")[0]
        assert event["event"]["target"] == "hand_clap"
        assert {told["bands"] for told in look.kinds("bands")} == {64} and look.kinds("pins")[0]["pins"].keys() == {"17"}
    state = browser.ask("/api/state").told
    assert state["pins"]["pins"].keys() == {"17"} and state["health"]["health"]["blocks"] > 0


def test_bands_are_made_only_while_somebody_looks_at_them(heard: Appliance, browser: Browser) -> None:
    watch = next(guard for guard in heard.sinks if guard.name == "watch")
    with browser.look() as plain:
        plain.until(lambda told: any(each["kind"] == "hearing" for each in told))
        with browser.look("?bands=1") as look:
            look.until(lambda told: any(each["kind"] == "bands" for each in told))
            assert watch._sink.wants_bands  # type: ignore[attr-defined]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while watch._sink.wants_bands:  # type: ignore[attr-defined]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        plain.until(lambda told: len(told) > 30)
        assert not plain.kinds("bands")


def test_commands_are_done_and_answered(heard: Appliance, browser: Browser) -> None:
    browser.enter()
    about(browser, lambda told: told["muted"] is False)
    answer = browser.post("/api/command", {"command": "mute", "seconds": 600, "request": "mine"})
    assert answer.status == 200 and answer.told["ok"] and answer.told["muted"] and answer.told["command"] == "mute"
    about(browser, lambda told: told["muted"] is True)
    assert browser.post("/api/command", {"command": "unmute"}).told["ok"]
    answer = browser.post("/api/command", {"command": "threshold", "target": "hand_clap", "threshold": 0.9})
    assert answer.told["threshold"] == 0.9
    about(browser, lambda told: told["targets"][0]["threshold"] == 0.9)
    assert browser.post("/api/command", {"command": "pin-test", "pin": 17}).told == {
        "command": "pin-test", "ok": True, "error": None, "found": None, "wanted": None, "pin": "17"}
    refused = browser.post("/api/command", {"command": "threshold", "target": "nothing", "threshold": 0.9})
    assert refused.status == 200 and not refused.told["ok"] and "hand_clap" in refused.told["wanted"]


def test_what_the_owner_said_of_a_clap_stands_until_it_is_undone(heard: Appliance, browser: Browser) -> None:
    browser.enter()

    def judged(event: str) -> list[Any]:
        return [each["judged"] for each in browser.ask("/api/events").told["events"] if each["id"] == event]

    with browser.look() as look:
        look.until(lambda told: any(each["kind"] == "event" for each in told))
        event = look.kinds("event")[0]["event"]["id"]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while judged(event) != [None]:  # until the journal has it
            assert time.monotonic() < deadline
            time.sleep(0.05)
        answer = browser.post("/api/command", {"command": "feedback", "id": event, "judgement": "right"})
        assert answer.told["ok"], answer.told
        assert judged(event) == ["right"]
        assert browser.post("/api/undo").told["reloaded"] is True
        assert judged(event) == [None]
        look.until(lambda told: len([each for each in told if each["kind"] == "judged"]) > 1)
    assert [told["events"] for told in look.kinds("judged")] == [{event: "right"}, {event: None}]


@pytest.mark.parametrize(("given", "words"), [
    ({}, "one of mute"), ({"command": 7}, "one of mute"), ({"command": "reboot"}, "one of mute"),
    ({"command": "mute", "verb": "unmute"}, "no fields but"), ({"command": "mute", "self": 1}, "no fields but"),
    ({"command": "mute", "seconds": -1}, "a number over 0"), ({"command": "feedback", "id": "abcd"}, "right")])
def test_what_is_no_command_is_named(browser: Browser, given: dict[str, Any], words: str) -> None:
    browser.enter()
    answer = browser.post("/api/command", given)
    assert answer.status == 400 and words in answer.told["wanted"] and not answer.told["ok"]


def test_a_command_without_an_appliance_or_a_session(browser: Browser) -> None:
    assert browser.post("/api/command", {"command": "mute"}).status == 403
    browser.enter()
    answer = browser.post("/api/command", {"command": "mute"})
    assert answer.status == 503 and answer.told["found"] == "no appliance"
    assert browser.ask("/api/command", method="POST", body=b"[]", X_CSRF_Token=browser.csrf).status == 400
    assert browser.ask("/api/command", method="POST", body=b"x" * 20_000, X_CSRF_Token=browser.csrf,
                       Content_Type="application/json").status == 413


def test_a_calibration_hears_through_the_appliance_and_is_taken_up_by_it(heard: Appliance, browser: Browser) -> None:
    """As in the unit: the page has no microphone of its own."""
    browser.enter()
    about(browser, lambda told: told["source_live"])

    def lesson(look: Look, kind: str) -> dict[str, Any]:
        def told() -> list[Any]:
            return [each["line"] for each in look.kinds("lesson") if each["line"]["kind"] == kind]

        look.until(lambda _: told() != [], 5 * PATIENCE_SECONDS)  # a model is opened meanwhile
        line: dict[str, Any] = told()[-1]
        return line

    with browser.look() as look:
        browser.post("/api/lesson", {"kind": "calibrate", "minutes": 0.05, "targets": ["siren"]})
        assert lesson(look, "hearing")["through"] is True
        lesson(look, "outcome")
        browser.post("/api/lesson/answer", {"answer": "keep"})
        assert lesson(look, "kept")["reloaded"] is True and lesson(look, "ended")["code"] == 0
