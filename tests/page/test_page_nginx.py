"""The page behind a real nginx, as the guide sets it up: `make test-page`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edge.page.password import set_password
from edge.page.tries import OF_ONE
from edge.settings.page import PageSettings
from edge.sinks.watching.sink import WatchSink
from tests.page.browser import Browser
from tests.page.made import event
from tests.page.nginx import proxying

pytestmark = pytest.mark.slow

RIGHT, WRONG = "correct horse", "wrong horse"
CHEAP = 16
"""A cost of scrypt that no password should have, but a test may."""


@pytest.fixture
def through(state_dir: Path, tmp_path: Path, start_page: Callable[..., Browser]) -> Iterator[Callable[..., Browser]]:
    """Look through nginx at a page with a password, which is told the prefix."""
    set_password(state_dir, RIGHT, cost=CHEAP)
    page = start_page(PageSettings(prefix="/kitchen"))
    with ExitStack() as stack:
        yield lambda **how: stack.enter_context(proxying(tmp_path / "nginx", page, **how))


@pytest.mark.parametrize("kept", [True, False], ids=["prefix-kept", "prefix-taken-away"])
@pytest.mark.parametrize("https", [True, False], ids=["https", "http"])
def test_all_of_the_page_is_below_the_prefix(through: Callable[..., Browser], https: bool, kept: bool) -> None:
    browser = through(https=https, kept=kept)
    assert browser.ask("").headers["Location"] == f"{browser.origin}/kitchen/"
    index = browser.ask("/").body.decode()
    named = re.findall(r'(?:src|href)="([^"#]+)"', index)
    assert len(named) > 5 and not any(name.startswith("/") or ":" in name for name in named)
    for name in named:
        assert browser.ask(f"/{name}").status == 200, name
    assert browser.ask("/api/state").status == 401
    assert browser.login(WRONG).status == 403

    cookie = browser.login(RIGHT).headers["Set-Cookie"]
    assert "Path=/kitchen;" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert ("Secure" in cookie) == https
    assert browser.ask("/api/state").status == 200 and browser.enter()["logged_in"]
    change = {"command": "unmute"}
    assert browser.post("/api/command", change, X_CSRF_Token="a guess").told["found"] == "another X-CSRF-Token"
    assert browser.post("/api/command", change, Origin="https://evil.example").status == 403
    assert browser.post("/api/command", change, Sec_Fetch_Site="cross-site").status == 403
    assert browser.post("/api/command", change).told["found"] == "no appliance", "the change came through"
    assert browser.post("/api/logout").status == 200
    assert browser.ask("/api/state").status == 401


def test_the_live_stream_comes_as_it_is_made(appliance: WatchSink, through: Callable[..., Browser]) -> None:
    """Each message is small and the next one comes only after it was read: what nginx held back would never come."""
    browser = through()
    browser.login(RIGHT)
    with browser.look() as look:
        hello = look.until(lambda told: len(told) > 0)[0]
        assert hello["kind"] == "hello" and hello["about"]["device"] == "kitchen"
        for _ in range(5):
            heard = event()
            appliance.event(heard)
            look.until(lambda told, heard=heard: told[-1].get("event", {}).get("id") == heard.id)


def test_wrong_passwords_count_for_the_browsers_address(through: Callable[..., Browser]) -> None:
    first = through()
    second = Browser(first.port, base=first.base, tls=first.tls, source="127.0.0.3")
    first.source = "127.0.0.2"
    for number in range(OF_ONE):
        assert first.login(WRONG, X_Forwarded_For=f"10.0.0.{number}").status == 403, "what a browser makes up is nothing"
    assert first.login(RIGHT).status == 429
    assert second.login(RIGHT).status == 200


def test_without_the_browsers_host_changes_are_refused_and_the_answer_says_why(through: Callable[..., Browser]) -> None:
    """nginx then says `Host: 127.0.0.1:8080`."""
    browser = through(without="proxy_set_header Host $http_host;")
    assert browser.ask("/").status == 200
    answer = browser.login(RIGHT)
    assert answer.status == 403 and answer.told["found"] == "the origin of another site"
