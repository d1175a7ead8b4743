"""Who may ask the page for what, where no password is set."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.page.password import TOKEN, set_password
from edge.page.sessions import csrf_of
from edge.settings.page import PageSettings
from tests.page.browser import PATIENCE_SECONDS, Browser


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", "LOCALHOST"])
def test_names_of_this_machine_are_its_own(browser: Browser, host: str) -> None:
    assert browser.ask("/", Host=host).status == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:8080", "192.168.1.5", "", "127.0.0.1.nip.example"])
def test_a_name_that_somebody_elses_site_could_have_is_refused(browser: Browser, host: str) -> None:
    """DNS rebinding: evil.example has 127.0.0.1 as its address."""
    for path in ("/", "/api/state", "/page.js", "/healthz"):
        assert browser.ask(path, Host=host).status == 403
    assert "--set-password" in browser.ask("/", Host=host).told["wanted"]


def test_a_proxy_that_shows_the_page_by_mistake_is_refused(start_page: Callable[..., Browser]) -> None:
    """nginx says `Host: 127.0.0.1:8080` to what it stands before."""
    browser = start_page(PageSettings(names=("board.local",)))
    assert browser.ask("/", X_Forwarded_For="192.168.1.9").status == 403
    assert browser.ask("/", X_Forwarded_For="192.168.1.9", X_Forwarded_Host="other.local").status == 403
    assert browser.ask("/", X_Forwarded_For="192.168.1.9", X_Forwarded_Host="board.local:8443").status == 200
    assert browser.ask("/", Host="board.local").status == 200


def test_every_answer_says_what_it_may_do(browser: Browser) -> None:
    for path, status in (("/", 200), ("/page.js", 200), ("/api/state", 200), ("/nowhere", 404), ("/api/nowhere", 404)):
        answer = browser.ask(path)
        assert answer.status == status, path
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
        assert "frame-ancestors 'self'" in policy and "http" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff" and answer.headers["Referrer-Policy"]
        assert answer.headers["Server"] == "edge-audio"
    assert browser.ask("/api/state").headers["Cache-Control"] == "no-store"


def test_another_site_may_show_the_page_where_the_settings_name_it(start_page: Callable[..., Browser]) -> None:
    browser = start_page(PageSettings(shown_in=("http://homeassistant.local:8123", "https://home.example")))
    policy = browser.ask("/").headers["Content-Security-Policy"]
    assert policy.endswith("; frame-ancestors 'self' http://homeassistant.local:8123 https://home.example")


def test_a_change_needs_the_word_of_the_session(browser: Browser) -> None:
    answer = browser.post("/api/logout")
    assert answer.status == 403 and answer.told["found"] == "no X-CSRF-Token"
    browser.csrf = csrf_of("somebody else's")
    assert browser.post("/api/logout").told["found"] == "another X-CSRF-Token"
    told = browser.enter()
    assert told == {"password": False, "logged_in": True, "csrf": browser.csrf, "version": "0.1.0", "ingress": False}
    assert browser.post("/api/logout").status == 200
    assert browser.ask("/api/logout").status == 405


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"},
                                     {"Sec_Fetch_Site": "same-site"}, {"Origin": "http://localhost:3000"}])
def test_a_change_of_another_site_is_refused(browser: Browser, headers: dict[str, str]) -> None:
    browser.enter()
    assert browser.post("/api/logout", **headers).status == 403


def raw(browser: Browser, method: str, path: str, *lines: bytes, body: bytes = b"") -> int:
    """The status of an answer to a request whose headers are any bytes."""
    with socket.create_connection((browser.at, browser.port), PATIENCE_SECONDS) as ours:
        head = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", f"Content-Length: {len(body)}"]
        ours.sendall(b"\r\n".join([*(line.encode() for line in head), *lines, b"", body]))
        return int(ours.makefile("rb").readline().split()[1])


def test_headers_of_any_bytes_are_no_error_of_the_servers(browser: Browser, state_dir: Path) -> None:
    """Bytes that are no UTF-8, half a bracket, and a body that is no gzip were answered with 500; fuzzing found them."""
    token = browser.enter()["csrf"].encode()
    assert raw(browser, "POST", "/api/logout", b"X-CSRF-Token: \xff") == 403
    assert raw(browser, "POST", "/api/logout", b"X-CSRF-Token: " + token, b"Origin: http://[") == 403
    packed = b"Content-Type: application/json", b"Content-Encoding: gzip"
    assert raw(browser, "POST", "/api/login", *packed, body=b"no gzip") == 400
    set_password(state_dir, "open sesame", cost=16)
    assert raw(browser, "GET", "/api/state", b"Cookie: edge_audio_session=\xff") == 401
    assert raw(browser, "GET", "/metrics", b"Authorization: Bearer \xff") == 401
    (state_dir / TOKEN).chmod(0o644)
    assert raw(browser, "GET", "/metrics", b"Authorization: Bearer x") == 503


def test_below_a_prefix(start_page: Callable[..., Browser]) -> None:
    browser = start_page(PageSettings(prefix="/rooms/kitchen"))
    assert browser.ask("/rooms/kitchen").headers["Location"] == "/rooms/kitchen/"
    for path in ("/rooms/kitchen/", "/rooms/kitchen/page.js", "/rooms/kitchen/api/state", "/page.js", "/api/state"):
        assert browser.ask(path).status == 200, path
    assert browser.ask("/rooms/api/state").status == 404
    assert b'src="page.js"' in browser.ask("/rooms/kitchen/").body


@pytest.mark.parametrize(("path", "shown"), [("/api/hassio_ingress/Ab-1", True), ("", False), ("/x; Domain=evil", False)])
def test_the_page_knows_that_it_is_shown_by_home_assistant(browser: Browser, path: str, shown: bool) -> None:
    """There the page must not take the stream as text (tests/home/test_home_ingress.py)."""
    assert browser.ask("/api/session", X_Ingress_Path=path).told["ingress"] is shown


def test_only_the_pages_files_are_served(browser: Browser) -> None:
    for path in ("/../__init__.py", "/%2e%2e/server.py", "/..%2fserver.py", "/static/index.html", "/index.html/"):
        assert browser.ask(path).status == 404, path
