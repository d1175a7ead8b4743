"""Debian's Chromium, and a board to look at with it. Run by `make test-page`."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.settings import JournalSettings, Settings
from tests.page.browser import Browser as Client
from tests.page.chromium.board import hearing, settings_text
from tests.page.conftest import serving

CHROMIUM = shutil.which("chromium") or ""
PATIENCE_MS = 60_000.0
SPY = """
window.streams = [];
window.seen = {};
const Real = EventSource;
window.EventSource = class extends Real {
  constructor(...all) {
    super(...all);
    window.streams.push(this);
    this.addEventListener("message", ({ data }) => {
      const told = JSON.parse(data);
      if (told.kind !== "event" || told.event.phase !== "start") return;
      window.seen[told.event.id] = { at: performance.now(), start: told.start };
    });
  }
};
"""
"""Keeps the page's streams, and when each event was told, for tests to look at."""
HIDE = """(state) => {
  Object.defineProperty(document, "visibilityState", { value: state, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  return window.streams.map((each) => each.readyState);
}"""
"""Makes the tab "hidden" or "visible"; the states of its streams then (2: closed)."""


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser, without a screen."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install '.[browser-test]'")
    if not CHROMIUM:
        pytest.skip("no chromium: deploy/packages.sh page installs it")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens an address in a tab with a profile of its own; whatever the browser complains of fails the test."""
    complaints: list[str] = []
    with ExitStack() as stack:
        def show(client: Client, path: str = "/", *, width: int = 1280, height: int = 900, **options: Any) -> Any:
            context = chromium.new_context(viewport={"width": width, "height": height}, **options)
            stack.callback(context.close)
            context.set_default_timeout(PATIENCE_MS)
            context.add_init_script(SPY)
            page = context.new_page()
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda told: complaints.append(told.text) if "Content Security Policy" in told.text else None)
            page.goto(f"{client.origin}{client.base}{path}")
            return page

        yield show
    assert complaints == []


@pytest.fixture(scope="session")
def kitchen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state directory of a board in a kitchen where claps, typing and a siren are heard, with a lamp on pin 17."""
    folder = tmp_path_factory.mktemp("kitchen") / "state"
    folder.mkdir(mode=0o700)
    pin = '[[pin]]\npin = "GPIO17"\ntarget = "hand_clap"\nseconds = 3.0\nfactory = "simulated"\n'
    with hearing(folder, settings_text(("claps", "typing", "siren")) + pin):
        yield folder


@pytest.fixture
def board(kitchen: Path) -> Iterator[Client]:
    """The kitchen's page."""
    with serving(kitchen, replace(Settings(), journal=JournalSettings(sound=True))) as client:
        client.enter()
        yield client
