"""What another threshold would bring stands beside the line that is dragged."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import edge_audio
from tests.page.browser import Browser as Client
from tests.page.chromium.accessible import AXE, violations
from tests.page.chromium.waiting import state

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HOW = {"counted": "about", "drawn": "about", "fewer": "fewer than", "more": "more than"}


def rough(value: float) -> str:
    """As the page writes it: two digits that count under ten."""
    return f"{float(f'{value:.2g}'):g}" if value < 10 else f"{value:,.0f}"


def sentence(row: Any, recordings: int) -> str:
    """What the page says of a row of `calibrate --expect`."""
    drawn = ", drawn out" if row["known"] == "drawn" else ""
    missed, low, high = (f"{100 * each:.0f}" for each in row["misses"])
    return (f"{HOW[row['known']]} {rough(row['alarms_per_day'])} false alarms a day{drawn} "
            f"(at most {rough(row['alarms_upper'])}), {missed} % of {recordings} recordings missed ({low} to {high} %). "
            "This room was not heard.")


def test_the_words_follow_the_line(board: Client, kitchen: Path, tab: Callable[..., Any]) -> None:
    words = ("--expect", "--target", "siren", "--format", "json", "--state-dir", str(kitchen))
    siren = json.loads(edge_audio("calibrate", *words).stdout)["targets"]["siren"]
    rows = {row["threshold"]: row for row in siren["curve"]}
    page = tab(board)
    row = page.locator('.row[data-target="siren"]')
    thumb, bar = row.locator(".thumb"), row.locator(".bar")
    thumb.wait_for()
    box, at = bar.bounding_box(), thumb.bounding_box()
    panel, before = page.locator("#expect"), float(thumb.get_attribute("aria-valuenow"))
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.down()
    said = []
    for share in (0.9, 0.4, 0.05, 0.99):
        page.mouse.move(box["x"] + box["width"] * share, box["y"], steps=3)
        threshold = float(thumb.get_attribute("aria-valuenow"))
        assert threshold == pytest.approx(share, abs=0.02)
        said.append(sentence(rows[threshold], siren["recordings"]))
        panel.filter(has_text=f"At {threshold:.2f}: {said[-1]}").wait_for()
    assert len(set(said)) == 4 and {text.split()[0] for text in said} == {"about", "fewer", "more"}
    assert thumb.get_attribute("aria-describedby") == "expect" and row.locator("canvas").nth(1).is_visible()
    assert page.locator("#expect[aria-live], #expect[role], .expect[aria-live]").count() == 0, "no flood in a screen reader"
    page.mouse.up()
    page.locator("#notice").filter(has_text=f"siren: threshold {threshold:.2f}: {said[-1]}").wait_for()
    if AXE:
        assert violations(page) == []
    thumb.press("PageDown")
    now = round(threshold - 0.1, 2)
    panel.filter(has_text=sentence(rows[now], siren["recordings"])).wait_for()
    thumb.press("Escape")
    assert panel.is_hidden() and thumb.get_attribute("aria-describedby") is None
    state(board, page, lambda told: any(each["threshold"] == now for each in told["about"]["about"]["targets"]))
    row.locator(".back").click()
    thumb.and_(page.locator(f'[aria-valuenow="{before:.2f}"]')).wait_for()


def test_what_nobody_knows_is_said(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board, width=390, height=844)
    thumb = page.locator('.row[data-target="hand_clap"] .thumb')
    thumb.focus()
    page.locator("#expect").filter(has_text="What to expect is not known: the target is not calibrated.").wait_for()
    page.locator('.row[data-target="siren"] .thumb').focus()
    page.locator("#expect").filter(has_text=re.compile("false alarms a day")).wait_for()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "nothing to scroll sideways"
    page.locator("#level-figure").click()
    page.locator("#expect").wait_for(state="hidden")
