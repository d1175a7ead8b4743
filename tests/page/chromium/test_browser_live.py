"""What an owner sees who opens the page and claps."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from tests.page.browser import Browser as Client
from tests.page.chromium.conftest import HIDE

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MARK = '.mark[data-target="hand_clap"]'
WHERE = """() => {
  // In one task: where the newest clap's mark is, and where the picture grows bright around it.
  const mark = window.newest();
  const x = new DOMMatrix(getComputedStyle(mark).transform).e;
  const canvas = document.getElementById("spectrogram"), scale = canvas.width / canvas.clientWidth;
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const column = (at) => {
    let sum = 0;
    for (let y = 0; y < canvas.height; y += 1) sum += data[(y * canvas.width + at) * 4 + 1];
    return sum / canvas.height;
  };
  let best = [0, 0];
  for (let at = Math.round((x - 40) * scale); at < Math.min((x + 40) * scale, canvas.width - 2); at += 1) {
    const rise = column(at + 2) - column(at);
    if (at > 1 && rise > best[0]) best = [rise, at / scale];
  }
  return { x, width: canvas.clientWidth, rise: best[0], at: best[1] };
}"""


def clap(page: Any) -> Any:
    """Wait for a clap that was heard while the page was open, and that has moved away from the edge."""
    page.wait_for_function("""() => {
      window.newest = () => [...document.querySelectorAll('.mark[data-target="hand_clap"]')].filter((each) => !each.hidden
        && Object.values(window.seen).some(({ start }) => String(start) === each.dataset.start)).at(-1);
      const mark = window.newest();
      return mark && new DOMMatrix(getComputedStyle(mark).transform).e
        < document.getElementById("spectrogram").clientWidth - 80;
    }""")
    return page.evaluate(WHERE)


def test_a_clap_is_marked_where_it_is_seen_within_a_second(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    page.evaluate("""() => {
      window.shown = {};
      new MutationObserver((all) => {
        const now = performance.now();
        for (const { addedNodes } of all) for (const mark of addedNodes) window.shown[mark.dataset.start] = now;
      }).observe(document.getElementById("marks"), { childList: true });
    }""")
    found = clap(page)
    assert found["rise"] > 20, "the clap is a bright edge in the picture"
    assert abs(found["at"] - found["x"]) < 6, found
    page.wait_for_function("() => Object.keys(window.shown).length >= 2")
    late = page.evaluate("() => Object.values(window.seen).filter(({ start }) => window.shown[start])"
                         ".map(({ at, start }) => window.shown[start] - at)")
    assert late and all(milliseconds < 1000 for milliseconds in late)
    assert page.locator("#events .event").first.is_visible()
    assert page.locator("#state-words").inner_text() == "Hearing"
    assert page.locator("#device").inner_text() == "kitchen"


def test_the_picture_is_less_than_half_a_second_behind_the_bands(board: Client, tab: Callable[..., Any]) -> None:
    """Bands come with the sound, in steps of a hop; the picture flows behind them."""
    page = tab(board)
    page.wait_for_selector(MARK)
    behind = page.evaluate("""async () => {
      const { timeline, RATE } = await import("./timeline.js"), all = [];
      for (let hops = 0, newest = 0; hops < 25;) {
        await new Promise(requestAnimationFrame);
        if (timeline.newest !== newest) hops += 1;
        newest = timeline.newest;
        if (hops > 10) all.push((newest - timeline.head) / RATE);
      }
      return all;
    }""")
    assert min(behind) >= 0 and max(behind) < 0.5
    assert len(set(behind)) > 15, "it flows, in steps finer than a hop"


def test_who_wants_less_motion_sees_steps_of_two_seconds_and_no_scrolling(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board, reduced_motion="reduce")
    page.wait_for_selector(f"{MARK}:not([hidden])")
    steps = page.evaluate("""async () => {
      const { timeline, RATE } = await import("./timeline.js"), begun = timeline.newest, heads = new Set();
      while (timeline.newest < begun + 5 * RATE) {
        await new Promise(requestAnimationFrame);
        heads.add(timeline.head / RATE);
      }
      return [...heads];
    }""")
    assert 2 <= len(steps) <= 4 and all(abs(later - sooner - 2) < 1e-6 for sooner, later in pairwise(steps))


def test_the_level_and_the_probabilities_move(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    row = page.locator('.row[data-target="typing"]')
    row.locator(".figure").filter(has_text="/ 0.63").wait_for()
    page.wait_for_selector('.row.over[data-target="typing"]')
    assert float(row.locator(".bar").evaluate("bar => bar.style.getPropertyValue('--probability')")) >= 0.63
    assert -80 < float(page.locator("#level").get_attribute("aria-valuenow")) < 0
    assert page.locator("#gate").inner_text() == "gate open"


def test_a_screen_reader_is_told_of_events_but_not_of_every_hop(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    page.evaluate("""() => {
      window.spoken = [];
      new MutationObserver(() => window.spoken.push([performance.now(), document.getElementById("announcer").textContent]))
        .observe(document.getElementById("announcer"), { childList: true });
    }""")
    page.wait_for_function("() => window.spoken.length >= 3", timeout=2 * 30_000)
    spoken = page.evaluate("() => window.spoken")
    assert all(words.startswith("Heard ") for _, words in spoken) and any("hand clap" in words for _, words in spoken)
    assert all(later[0] - sooner[0] > 2_000 for sooner, later in pairwise(spoken))


def test_a_hidden_tab_asks_for_nothing(board: Client, tab: Callable[..., Any]) -> None:
    page = tab(board)
    page.wait_for_selector(MARK)
    assert set(page.evaluate(HIDE, "hidden")) == {2}, "every stream is closed"
    assert page.evaluate(HIDE, "visible")[-1] < 2
    page.goto(f"http://127.0.0.1:{board.port}/#history")
    page.wait_for_function("() => window.streams.at(-1).readyState < 2 && window.streams.at(-1).url.endsWith('bands=0')")
