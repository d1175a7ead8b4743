"""Who may look: the password, the session, and the token of every change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.page.password import set_password
from tests.page.browser import Browser as Client

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_log_in_and_out(state_dir: Path, start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    set_password(state_dir, "a kitchen's secret")
    page = tab(start_page())
    field = page.get_by_label("Password")
    field.fill("another secret")
    field.press("Enter")
    page.get_by_role("alert").filter(has_text="That is not the password.").wait_for()
    assert page.locator("#live").is_hidden() and page.evaluate("() => window.streams.length") == 0
    assert field.evaluate("field => field === document.activeElement && field.value") == ""
    field.fill("a kitchen's secret")
    field.press("Enter")
    page.locator("#live").wait_for()
    page.wait_for_function("() => window.streams.length === 1")
    page.reload()
    page.locator("#live").wait_for()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("Password").wait_for()
    assert page.evaluate("() => window.streams.every((each) => each.readyState === 2)")
    assert page.evaluate("() => fetch('api/state').then((answer) => answer.status)") == 401


def test_a_session_that_ends_elsewhere_shows_the_login(state_dir: Path, start_page: Callable[..., Client],
                                                       tab: Callable[..., Any]) -> None:
    set_password(state_dir, "a kitchen's secret")
    page = tab(start_page())
    page.get_by_label("Password").fill("a kitchen's secret")
    page.get_by_role("button", name="Log in").click()
    page.locator("#live").wait_for()
    set_password(state_dir, "another kitchen's secret")
    page.locator("#mute").click()
    page.get_by_role("button", name="1 hour").click()
    page.get_by_label("Password").wait_for()


def test_a_change_without_the_token_is_refused_and_with_a_stale_one_tried_again(
        start_page: Callable[..., Client], tab: Callable[..., Any]) -> None:
    page = tab(start_page())
    page.wait_for_function("() => window.streams.length === 1")
    refused = """(token) => fetch("api/command", { method: "POST", body: JSON.stringify({ command: "unmute" }),
        headers: { "Content-Type": "application/json", ...token } }).then((answer) => answer.status)"""
    assert page.evaluate(refused, {}) == 403
    assert page.evaluate(refused, {"X-CSRF-Token": "a guess"}) == 403
    told = page.evaluate("""async () => {
      const { session, command } = await import("./server.js");
      session.csrf = "of before the restart";
      return command("unmute");
    }""")
    assert told["status"] == 503 and told["found"] == "no appliance", "asked again, with the token of now"
