"""Everybody can use it: axe-core finds no violation, in both themes, on a phone and on a desk; and a path prefix does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.page.password import set_password
from edge.settings.page import PageSettings
from tests.page.browser import Browser as Client
from tests.page.chromium.accessible import AXE, violations

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SIZES = {"phone": (360, 740), "desk": (1280, 900)}
needs_axe = pytest.mark.skipif(not AXE, reason="EDGE_AUDIO_AXE names no axe.min.js: tests/page/chromium/axe.sh fetches it")


@needs_axe
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing(board: Client, tab: Callable[..., Any], theme: str, size: str) -> None:
    width, height = SIZES[size]
    page = tab(board, width=width, height=height, color_scheme=theme)
    page.wait_for_selector("#events .event")
    page.wait_for_selector(".mark:not([hidden])")
    assert violations(page) == []
    page.locator("#mute").click()
    assert violations(page) == []
    page.goto(f"http://127.0.0.1:{board.port}/#history")
    page.wait_for_selector("#heat td[title]")
    page.wait_for_selector("#past .event")
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "nothing to scroll sideways"


@needs_axe
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_names_on_marks_are_readable_in_every_colour(board: Client, tab: Callable[..., Any], theme: str) -> None:
    page = tab(board, color_scheme=theme)
    page.wait_for_selector(".mark:not([hidden]) b")
    names = page.evaluate("""async () => {
      const { hue } = await import("./palette.js"), name = document.querySelector(".mark:not([hidden]) b");
      const hues = [...Array(40).keys()].map((number) => hue(`target ${number}`));
      for (const each of new Set(hues)) {
        const mark = name.closest(".mark").cloneNode(true);
        mark.style.setProperty("--hue", each);
        Object.assign(mark.style, { position: "static", transform: "none", display: "inline-block", height: "3rem" });
        mark.querySelector("b").style.position = "static";
        document.body.append(mark);
      }
      return new Set(hues).size;
    }""")
    assert names >= 10
    assert [each for each in violations(page) if each.startswith("color-contrast")] == []


@needs_axe
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_in_the_login_and_while_the_appliance_is_away(
        state_dir: Path, start_page: Callable[..., Client], tab: Callable[..., Any], theme: str) -> None:
    client = start_page()
    page = tab(client, color_scheme=theme)
    page.locator("#veil").wait_for()
    assert violations(page) == []
    set_password(state_dir, "a kitchen's secret")
    page.reload()
    page.get_by_label("Password").wait_for()
    assert violations(page) == []


def test_below_a_prefix_all_is_found(start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    client = start_page(PageSettings(prefix="/rooms/kitchen"))
    page = tab(client, "/rooms/kitchen/")
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.reload()
    page.locator("#notice").filter(has_text="The appliance is away").wait_for()
    page.get_by_role("link", name="History").click()
    page.locator("#no-past").wait_for()
    assert failed == []


def test_history_shows_days_targets_and_sounds(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board, "/#history")
    page.wait_for_selector("#past .event[data-target='hand_clap'] .judge:text('Play')")
    page.locator("#filter").select_option("hand_clap")
    page.wait_for_function("() => !document.querySelector('#past .event:not([data-target=hand_clap])')")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    lines = Path(download.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("sequence,id,target") and len(lines) > 1
    assert all(",hand_clap," in line for line in lines[1:])
    with page.expect_response(lambda answer: "/api/sound/" in answer.url) as sound:
        page.locator("#past .event .judge:text('Play')").first.click()
    assert sound.value.status in (200, 206) and sound.value.headers["content-type"] == "audio/wav"
    page.get_by_role("button", name="A day earlier").click()
    page.locator("#no-past").filter(has_text="Nothing was heard that day.").wait_for()
    assert page.locator("#day-title").inner_text() == "Yesterday"
