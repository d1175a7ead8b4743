"""The page inside a page of another site (an iframe): who may show it, and where a login holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from edge.page.password import set_password
from edge.settings.page import PageSettings
from tests.cli.update_web import running
from tests.page.browser import Browser as Client
from tests.page.chromium.conftest import PATIENCE_MS

pytestmark = [pytest.mark.slow, pytest.mark.browser]

SANDBOX = "allow-forms allow-popups allow-pointer-lock allow-same-origin allow-scripts allow-modals allow-downloads"
"""What Home Assistant's Webpage dashboard allows its iframe."""


class Around(BaseHTTPRequestHandler):
    """Answers /PORT with a page around the page at that port."""

    def do_GET(self) -> None:
        told = (f'<!doctype html><title>around</title><iframe sandbox="{SANDBOX}" width="1200" height="800" '
                f'src="http://127.0.0.1:{self.path[1:]}/"></iframe>').encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def around() -> Iterator[int]:
    """The port of a server of other pages."""
    with running(ThreadingHTTPServer(("127.0.0.1", 0), Around)) as port:
        yield port


@pytest.fixture
def other() -> Iterator[int]:
    with around() as port:
        yield port


@pytest.fixture
def show(chromium: Any) -> Iterator[Callable[[str, Client], Any]]:
    """show(origin, page): the tab, with a page of that origin around the page; of none: still empty."""
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE_MS)

    def shown(origin: str, client: Client) -> Any:
        page = context.new_page()
        if origin:
            page.goto(f"{origin}/{client.port}")
        return page

    yield shown
    context.close()


@pytest.mark.parametrize("sites", [(), ("http://localhost:1",)], ids=["nobody", "another"])
def test_nobody_else_shows_the_page(start_page: Callable[..., Client], show: Callable[..., Any], other: int,
                                    sites: tuple[str, ...]) -> None:
    client = start_page(PageSettings(shown_in=sites))
    page = show("", client)
    with page.expect_console_message(lambda told: "frame-ancestors" in told.text):  # the browser says why the frame is empty
        page.goto(f"http://localhost:{other}/{client.port}")
    assert page.frame_locator("iframe").locator("#main").count() == 0


def test_a_site_that_is_named_shows_the_page_and_its_changes_are_the_pages_own(
        start_page: Callable[..., Client], show: Callable[..., Any], other: int) -> None:
    origin = f"http://localhost:{other}"
    page = show(origin, start_page(PageSettings(shown_in=(origin,))))
    frame = page.frame_locator("iframe")
    frame.locator("#live").wait_for()
    told = page.frames[1].evaluate('() => import("./server.js").then(({ command }) => command("unmute"))')
    assert told["status"] == 503 and told["found"] == "no appliance"


def test_a_login_holds_inside_the_same_site_and_the_page_says_where_it_does_not(
        state_dir: Path, start_page: Callable[..., Client], show: Callable[..., Any], other: int) -> None:
    """127.0.0.1 with another port is the same site for cookies; localhost is another one."""
    set_password(state_dir, "a kitchen's secret")
    same, another = f"http://127.0.0.1:{other}", f"http://localhost:{other}"
    client = start_page(PageSettings(shown_in=(same, another)))
    frame = show(another, client).frame_locator("iframe")
    frame.get_by_label("Password").fill("a kitchen's secret")
    frame.get_by_role("button", name="Log in").click()
    frame.get_by_role("alert").filter(has_text="open this page by itself").wait_for()
    assert frame.locator("#live").is_hidden()

    page = show(same, client)
    frame = page.frame_locator("iframe")
    frame.get_by_label("Password").fill("a kitchen's secret")
    frame.get_by_role("button", name="Log in").click()
    frame.locator("#live").wait_for()
    page.reload()
    frame.locator("#live").wait_for()
