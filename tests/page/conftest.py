"""The real server on a port of its own, in a thread, beside a real watch socket."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from edge.page.main import bound
from edge.page.server import Page, Server, serve
from edge.settings import Settings
from edge.settings.page import PageSettings
from edge.sinks.watching.sink import WatchSink
from tests.page.browser import PATIENCE_SECONDS, Browser


@contextmanager
def serving(state_dir: Path, settings: Settings, config: Path | None = None) -> Iterator[Browser]:
    """The page of this state directory, served until the block ends; a browser that has not been there yet."""
    page = Page(replace(settings, page=replace(settings.page, port=0)), state_dir, config)
    at = bound(page.settings.page)
    begun, ends = threading.Event(), []

    async def life() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(stop.set))
        begun.set()
        await serve(Server(page), at, stop)

    thread = threading.Thread(target=lambda: asyncio.run(life()))
    thread.start()
    assert begun.wait(PATIENCE_SECONDS)
    try:
        yield Browser(at.getsockname()[1])
    finally:
        ends[0]()
        thread.join(PATIENCE_SECONDS)
        at.close()
        assert not thread.is_alive()


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A state directory that is nobody's yet."""
    folder = tmp_path / "state"
    folder.mkdir(mode=0o700)
    return folder


@pytest.fixture
def start_page(state_dir: Path) -> Iterator[Callable[..., Browser]]:
    """Serve the page with settings of [page]; a browser."""
    with ExitStack() as stack:
        def start(page: PageSettings | None = None, settings: Settings | None = None, config: Path | None = None) -> Browser:
            settings = replace(settings or Settings(), page=page or PageSettings())
            return stack.enter_context(serving(state_dir, settings, config))

        yield start


@pytest.fixture
def browser(start_page: Callable[..., Browser]) -> Browser:
    """One who looks at a page with default settings."""
    return start_page()


@pytest.fixture
def appliance(state_dir: Path) -> Iterator[WatchSink]:
    """What an appliance offers to those who look: the real watch socket."""
    sink = WatchSink(state_dir, "kitchen", lambda: {"version": "0.1.0", "source": "ok", "sinks": {"watch": "ok"}})
    sink.start()
    yield sink
    sink.stop()
