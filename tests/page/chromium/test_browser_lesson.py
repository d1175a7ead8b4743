"""What an owner fits to the house: a sound that is taught, the room, and what the settings say. By keys alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.talking import all_different, microphone
from tests.page.browser import Browser as Client
from tests.page.chromium.accessible import AXE, violations
from tests.page.chromium.board import hearing, settings_file, settings_text
from tests.page.chromium.conftest import HIDE
from tests.page.chromium.waiting import state

pytestmark = [pytest.mark.slow, pytest.mark.browser]

FITTING_MS = 240_000.0
"""The lesson is fitted at low priority, beside the appliance and two tabs."""
TYPO = '[[target]]\nname = "hand_clap"\nthreshhold = 0.4\n'
ALL = "# all that the model hears, and all that it is taught\n"
TARGETS = '[[target]]\nname = "hand_clap"\n[[target]]\nname = "siren"\n'


def key_to(page: Any, selector: str) -> None:
    """Tab, until the element has the focus."""
    for _ in range(60):
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no way by keys to {selector}")


def nothing_to_object(page: Any) -> None:
    """axe-core is content, where it is here; and there is nothing to scroll sideways."""
    assert not AXE or violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def heard(told: Any) -> list[str]:
    return [each["target"] for each in told["about"]["about"]["targets"]]


def test_a_sound_is_taught_kept_heard_and_taken_back(state_dir: Path, start_page: Callable[..., Client],
                                                     tab: Callable[..., Any]) -> None:
    with hearing(state_dir, settings_text(["claps"], ALL)):
        client = start_page(config=settings_file(state_dir))
        client.enter()
        page = tab(client, "/#teach", color_scheme="dark")
        state(client, page, bool)
        page.locator("#none-taught").filter(has_text="Nothing was taught yet.").wait_for()
        other, asked = tab(client, "/#calibrate"), list[str]()
        other.on("request", lambda request: asked.append(request.url))
        nothing_to_object(page)
        key_to(page, "#teach-name")
        page.keyboard.type("our clap")
        key_to(page, "#teach-count")
        page.keyboard.press("Control+A")
        page.keyboard.type("5")
        page.keyboard.press("Enter")
        page.locator("#teach-title").filter(has_text="Teaching our clap").wait_for()
        page.locator("#teach-through").filter(has_text="through the running appliance").wait_for()
        page.locator("#takes .taken").nth(1).wait_for()
        assert page.locator("#takes li").count() == 5
        nothing_to_object(page)
        page.locator("#teach-outcome li").filter(has_text="Of 5 recordings").filter(has_text="would be heard.").wait_for(
            timeout=FITTING_MS)
        shapes = [each.get_attribute("d") for each in page.locator("#takes .taken path").all()]
        assert len(shapes) == 5 and all(shape.count("L") > 20 for shape in shapes)
        assert page.get_by_role("img", name="Recording 5:").count() == 1
        assert page.locator("#teach-title").inner_text() == "How well this will be heard"
        nothing_to_object(page)
        key_to(page, "#teach-answers .strong")
        page.keyboard.press("Enter")
        page.locator("#teach-told").filter(has_text="Kept: our clap; the running appliance has taken it up.").wait_for()
        page.locator("#taught li").filter(has_text="our clap").wait_for()
        other.locator("#calibrate-target option[value=our_clap]").wait_for(state="attached")
        assert not [url for url in asked if url.endswith("api/taught")], "who looks elsewhere asks for no list"
        assert "our_clap" in heard(state(client, page, lambda told: "our_clap" in heard(told)))
        state(client, page, lambda told: any(each["event"]["target"] == "our_clap" for each in told["events"]))
        key_to(page, "#undo")
        page.keyboard.press("Enter")
        page.locator("#none-taught").filter(has_text="Nothing was taught yet.").wait_for()
        state(client, page, lambda told: "our_clap" not in heard(told))


def test_what_cannot_be_told_apart_is_kept_only_all_the_same(
        shared: Path, tmp_path: Path, start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    """Sounds of which no two are alike: the page advises to discard them, and keeps them at the owner's word alone."""
    client = start_page(config=microphone(tmp_path, all_different(shared), room=0.0))
    page = tab(client, "/#teach", width=360, height=740, color_scheme="light")
    page.locator("#none-taught").filter(has_text="Nothing was taught yet.").wait_for()
    page.get_by_label("Name").fill("our mix")
    page.get_by_label("How many times").fill("5")
    page.get_by_label("How many times").press("Enter")
    page.locator("#teach-title").filter(has_text="This cannot be told apart").wait_for(timeout=FITTING_MS)
    assert page.locator("#teach-outcome li").first.inner_text().startswith("Refused: ")
    assert page.locator("#teach-answers .strong").inner_text() == "Discard"
    assert client.ask("/api/taught").told["sounds"] == [], "nothing is kept before the answer"
    nothing_to_object(page)
    keep = page.get_by_role("button", name="Keep all the same", exact=True)
    key_to(page, "#teach-answers button:first-child")
    assert keep.evaluate("keep => keep === document.activeElement")
    page.keyboard.press("Enter")
    page.locator("#teach-told").filter(has_text="Kept: our mix;").wait_for()
    page.locator("#taught li").filter(has_text="our mix").filter(has_text="kept all the same").wait_for()
    (sound,) = client.ask("/api/taught").told["sounds"]
    assert sound["name"] == "our_mix" and sound["forced"] is True


def test_a_lesson_is_seen_by_all_and_stopped_by_any(state_dir: Path, start_page: Callable[..., Client],
                                                    tab: Callable[..., Any]) -> None:
    with hearing(state_dir, settings_text(["steps"], TARGETS)):
        client = start_page(config=settings_file(state_dir))
        client.enter()
        one, other = tab(client, "/#teach"), tab(client, "/#calibrate")
        state(client, one, bool)
        one.get_by_label("Name").fill("our step")
        one.get_by_label("Name").press("Enter")
        other.locator("#calibrate-told").filter(has_text="The sound our step is being taught.").wait_for()
        assert other.locator("#calibrate-form button").is_disabled()
        assert one.evaluate(HIDE, "hidden")[-1] < 2, "a tab that waits for a lesson goes on listening"
        other.get_by_role("link", name="Teach").click()
        other.get_by_role("button", name="Stop").click()
        for page in (one, other):
            page.locator("#teach-told").filter(has_text="Nothing was kept.").wait_for()
            assert page.locator("#teach-form button").is_enabled() and page.locator("#teach-run").is_hidden()
        one.wait_for_function("() => window.streams.every((each) => each.readyState === 2)")
        one.evaluate(HIDE, "visible")
        one.get_by_label("Name").fill("siren")
        one.get_by_label("Name").press("Enter")
        one.locator("#teach-told.bad").filter(has_text="siren").wait_for()


def test_the_room_is_calibrated_to(state_dir: Path, start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    with hearing(state_dir, settings_text(["steps"], TARGETS)):
        client = start_page(config=settings_file(state_dir))
        client.enter()
        page = tab(client, "/#calibrate", width=360, height=740, color_scheme="light")
        state(client, page, bool)
        page.locator("#calibrate-target option[value=siren]").wait_for(state="attached")
        nothing_to_object(page)
        page.get_by_label("Targets").select_option("siren")
        key_to(page, "#calibrate-minutes")
        page.keyboard.press("Control+A")
        page.keyboard.type("0.1")
        page.keyboard.press("Enter")
        page.locator("#calibrate-say").filter(has_text="of 6.0 s heard.").wait_for()
        page.locator("#calibrate-outcome li").filter(has_text="siren").filter(has_text="false alarms a day").wait_for()
        assert page.locator("#calibrate-outcome li").count() == 1
        nothing_to_object(page)
        key_to(page, "summary")
        page.keyboard.press("Enter")
        page.locator("#calibrate-words li").filter(has_text="siren").first.wait_for()
        key_to(page, "#calibrate-answers .strong")
        page.keyboard.press("Enter")
        page.locator("#calibrate-told").filter(has_text="Kept for 1 target; the running appliance has taken").wait_for()
        assert page.evaluate("() => document.activeElement.id") == "calibrate-told"


def test_a_typo_in_the_settings_comes_with_what_mends_it(state_dir: Path, start_page: Callable[..., Client],
                                                         tab: Callable[..., Any]) -> None:
    file = settings_file(state_dir)
    file.write_text(settings_text(["steps"], TARGETS), encoding="utf-8")
    page = tab(start_page(config=file), "/#settings", width=360, height=740, color_scheme="dark")
    page.locator("#settings-told").filter(has_text="Nothing is wrong.").wait_for()
    page.locator("#checks li").filter(has_text="hand_clap").first.wait_for()
    nothing_to_object(page)
    file.write_text(settings_text(["steps"], TYPO), encoding="utf-8")
    key_to(page, "#look-again")
    page.keyboard.press("Enter")
    page.locator("#problems li").filter(has_text="threshhold").filter(has_text="did you mean 'threshold'?").wait_for()
    page.locator("#settings-told").filter(has_text="1 thing to mend.").wait_for()
    nothing_to_object(page)
