"""What an owner makes right: a false alarm, a threshold, a mute, a pin."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.page.browser import Browser as Client
from tests.page.chromium.board import hearing, settings_file, settings_text
from tests.page.chromium.waiting import state

pytestmark = [pytest.mark.slow, pytest.mark.browser]

STEPS = 10
SILENT = range(8 * 128_000, STEPS * 128_000)
"""The last two of ten times steps, in samples."""
LOW = '[[target]]\nname = "typing"\nthreshold = 0.2\n'
"""Steps on a floor are taken for typing, at 0.28."""


def thresholds(told: Any) -> dict[str, float]:
    return {each["target"]: each["threshold"] for each in told["about"]["about"]["targets"]}


def test_wrong_three_times_and_the_false_alarm_is_silent(state_dir: Path, start_page: Callable[..., Client],
                                                         tab: Callable[..., Any]) -> None:
    """Ten times steps, then real typing: three false alarms are judged, the last steps are silent, typing is heard."""
    client = start_page()
    with hearing(state_dir, settings_text(["steps"] * STEPS + ["typing"], LOW)):
        page = tab(client)
        page.wait_for_function("() => document.querySelectorAll('#events .event').length >= 3")
        for event in [each.get_attribute("data-id") for each in page.locator("#events .event").all()]:
            line = page.locator(f'#events .event[data-id="{event}"]')
            line.locator(".judge.wrong").click()
            line.locator(".said").filter(has_text="Learnt: this was wrong.").wait_for()
            assert line.locator(".judge.wrong").get_attribute("aria-pressed") == "true"
        told = state(client, page, lambda told: told["hearing"]["start"] > SILENT.stop + 64_000)
        starts = [each["start"] for each in told["events"] if each["event"]["phase"] == "start"]
        assert len(starts) >= 3 and not [start for start in starts if start in SILENT]
        assert [start for start in starts if start > SILENT.stop], "typing is still heard"


def test_a_judgement_stands_after_a_reload_and_in_the_history_until_it_is_undone(
        state_dir: Path, start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    """In words and by the button's state, in a second tab too. A siren after the claps, so that their lines stay."""
    with hearing(state_dir, settings_text(["claps"] + ["siren"] * 30, '[[target]]\nname = "hand_clap"\n')):
        client = start_page(config=settings_file(state_dir))
        client.enter()
        page, other = tab(client), tab(client)
        state(client, page, lambda told: told.get("hearing", {"start": 0})["start"] > 160_000)
        event = page.locator("#events .event").first.get_attribute("data-id")
        shown = f'.event[data-id="{event}"]'
        page.locator(f"#events {shown}").get_by_role("button", name="Right").click()

        def stands(where: Any) -> None:
            where.locator(f'{shown} .judge.right[aria-pressed="true"]').wait_for()
            assert where.locator(f"{shown} .judge.wrong").get_attribute("aria-pressed") == "false"
            assert where.locator(f"{shown} .said").inner_text() == "Learnt: this was right."

        stands(page.locator("#events"))
        page.reload()
        stands(page.locator("#events"))
        stands(other.locator("#events"))
        other.goto(f"http://127.0.0.1:{client.port}/#history")
        other.reload()
        stands(other.locator("#past"))
        page.goto(f"http://127.0.0.1:{client.port}/#teach")
        page.locator("#undo").click()
        page.locator("#notice").filter(has_text="Undone: hand clap").wait_for()
        for where in (page.locator("#events"), other.locator("#past")):
            where.locator(f'{shown} .judge.right[aria-pressed="false"]').wait_for(state="attached")
            assert where.locator(f"{shown} .said").text_content() == ""


def test_a_threshold_that_is_dragged_holds_on_the_board(board: Client, kitchen: Path, tab: Callable[..., Any]) -> None:
    page = tab(board)
    row = page.locator('.row[data-target="door_knock"]')
    thumb, bar = row.locator(".thumb"), row.locator(".bar")
    thumb.wait_for()
    before = thresholds(state(board, page, bool))["door_knock"]
    box, at = bar.bounding_box(), thumb.bounding_box()
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"], steps=4)
    assert thresholds(state(board, page, bool))["door_knock"] == before, "nothing is sent while the owner drags"
    page.mouse.up()
    dragged = float(thumb.get_attribute("aria-valuenow"))
    assert 0.55 <= dragged <= 0.65
    state(board, page, lambda told: thresholds(told)["door_knock"] == dragged)
    file = kitchen / "commanded.json"
    state(board, page, lambda told: file.exists() and json.loads(file.read_text())["thresholds"] != {})
    assert json.loads(file.read_text())["thresholds"]["starter"]["door_knock"] == dragged
    row.locator(".back").click()
    state(board, page, lambda told: thresholds(told)["door_knock"] == before)
    row.locator(".back").wait_for(state="hidden")


def test_a_threshold_by_keys(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    thumb = page.locator('.row[data-target="siren"] .thumb')
    thumb.focus()
    begun = float(thumb.get_attribute("aria-valuenow"))
    thumb.press("PageDown")
    for _ in range(3):
        thumb.press("ArrowRight")
    wanted = round(begun - 0.07, 2)
    assert float(thumb.get_attribute("aria-valuenow")) == wanted
    state(board, page, lambda told: thresholds(told)["siren"] == wanted)
    page.locator('.row[data-target="siren"] .thumb[aria-valuetext$="set by you"]').wait_for()
    page.locator('.row[data-target="siren"] .back').press("Enter")
    state(board, page, lambda told: thresholds(told)["siren"] == 0.6629)


def test_mute_and_unmute(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    mute = page.locator("#mute")
    page.locator("#rows .row").first.wait_for()
    mute.press("Enter")
    page.get_by_role("button", name="10 minutes").click()
    page.wait_for_selector('body[data-state="muted"]')
    page.locator("#notice").filter(has_text="Muted: nothing is heard.").wait_for()
    assert mute.inner_text() == "Unmute"
    mute.click()
    page.wait_for_selector('body:not([data-state="muted"])')
    state(board, page, lambda told: not told["about"]["about"]["muted"])
    assert mute.inner_text() == "Mute"


def test_a_pin_is_tested_and_its_lamp_shows_it(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    page.get_by_role("button", name="Test GPIO17").click()
    page.wait_for_selector('#pins li.on[data-pin="GPIO17"]')
    page.wait_for_selector('#pins li:not(.on)[data-pin="GPIO17"]')


def test_it_comes_back_after_a_restart_of_the_appliance(state_dir: Path, start_page: Callable[..., Client],
                                                        tab: Callable[..., Any]) -> None:
    client = start_page()
    page = tab(client)
    page.locator("#notice").filter(has_text="The appliance is away: no appliance.").wait_for()
    for device in ("first", "second"):
        with hearing(state_dir, settings_text(["claps"], device=device)):
            page.locator("#device").filter(has_text=device).wait_for()
            page.wait_for_selector('.mark[data-target="hand_clap"]:not([hidden])')
            assert page.locator("#veil").is_hidden()
        page.locator("#notice").filter(has_text="The appliance is away").wait_for()
        assert page.locator("#veil").is_visible() and page.locator("#state-words").inner_text() == "Away"
        assert page.locator(".mark").count() == 0
