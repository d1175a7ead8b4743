"""Whose word is taken for who looks, where a reverse proxy stands before the page."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.page.password import set_password
from edge.page.proxies import Proxies
from edge.page.tries import OF_ONE
from edge.settings.page import PageSettings
from tests.page.browser import Browser, own_address

RIGHT, WRONG = "correct horse", "wrong horse"
CHEAP = 16
"""A cost of scrypt that no password should have, but a test may."""
TRUSTED = ("192.168.1.5", "172.30.32.0/23", "fd00::/64")


@pytest.mark.parametrize(("peer", "told", "who"), [
    ("192.168.1.9", [], "192.168.1.9"), (None, [], ""), ("127.0.0.1", [], "127.0.0.1"), ("127.0.0.1", [""], "127.0.0.1"),
    ("192.168.1.9", ["10.0.0.1"], "192.168.1.9"), ("fd00:0:0:1::1", ["10.0.0.1"], "fd00:0:0:1::1"),
    ("127.0.0.1", ["10.0.0.1"], "10.0.0.1"), ("::1", ["10.0.0.1"], "10.0.0.1"),
    ("::ffff:127.0.0.1", ["10.0.0.1"], "10.0.0.1"),
    ("192.168.1.5", ["10.0.0.1"], "10.0.0.1"), ("::ffff:192.168.1.5", ["10.0.0.1"], "10.0.0.1"),
    ("fd00::7", ["10.0.0.1"], "10.0.0.1"), ("172.30.33.255", ["10.0.0.1"], "10.0.0.1"),
    ("127.0.0.1", ["8.8.8.8, 10.0.0.1"], "10.0.0.1"), ("127.0.0.1", ["8.8.8.8", "10.0.0.1"], "10.0.0.1"),
    ("172.30.32.2", ["8.8.8.8, 10.0.0.1, 172.30.32.1"], "10.0.0.1"), ("172.30.32.2", ["172.30.32.1"], "172.30.32.1"),
    ("172.30.32.2", ["10.0.0.1, , 172.30.32.1"], "172.30.32.1"), ("127.0.0.1", ["8.8.8.8, unknown"], "unknown"),
    ("127.0.0.1", ["x" * 900], "x" * 64)])
def test_the_last_address_that_is_no_proxys_is_the_browsers(peer: str | None, told: list[str], who: str) -> None:
    """Where a proxy adds a line of its own (HAProxy does), the first line was believed, which is the browser's word.
    Home Assistant's ingress is two proxies, one behind the other."""
    assert Proxies(TRUSTED).whose(peer, told) == who


@pytest.fixture
def network() -> str:
    """An address of this machine that is none of its own for itself."""
    return own_address()


def show(start_page: Callable[..., Browser], state_dir: Path, address: str, **page: object) -> Browser:
    """One who asks from this address for a page with a password."""
    set_password(state_dir, RIGHT, cost=CHEAP)
    browser = start_page(PageSettings(**page))  # type: ignore[arg-type]
    return Browser(browser.port, at=address)


def test_a_proxy_on_another_machine_is_believed_where_the_settings_name_it(
        state_dir: Path, start_page: Callable[..., Browser], network: str) -> None:
    told = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "home.example", "Origin": "https://home.example"}
    named = show(start_page, state_dir, network, bind="0.0.0.0", trusted_proxies=(network,))
    assert "Secure" in named.login(RIGHT, **told).headers["Set-Cookie"]
    for _ in range(OF_ONE):
        assert named.login(WRONG, X_Forwarded_For="10.0.0.1", **told).status == 403
    assert named.login(RIGHT, X_Forwarded_For="10.0.0.1", **told).status == 429
    assert named.login(RIGHT, X_Forwarded_For="10.0.0.2", **told).status == 200

    stranger = show(start_page, state_dir, network, bind="0.0.0.0", trusted_proxies=("192.0.2.77",))
    assert stranger.login(RIGHT, **told).told["found"] == "the origin of another site"
    del told["Origin"]
    assert "Secure" not in stranger.login(RIGHT, **told).headers["Set-Cookie"]
    for number in range(OF_ONE):
        assert stranger.login(WRONG, X_Forwarded_For=f"10.0.0.{number}").status == 403
    assert stranger.login(RIGHT, X_Forwarded_For="10.0.0.77").status == 429


def test_a_proxy_of_this_machine_is_known_by_a_socket_for_both_internets(state_dir: Path,
                                                                         start_page: Callable[..., Browser]) -> None:
    """With `bind = "::"` a proxy at 127.0.0.1 shows as ::ffff:127.0.0.1, and was not believed."""
    if not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    browser = show(start_page, state_dir, "127.0.0.1", bind="::")
    assert "Secure" in browser.login(RIGHT, X_Forwarded_Proto="https").headers["Set-Cookie"]
