"""Passwords, sessions, and how often a password may be tried."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.page.password import PASSWORD, TOKEN, load_password, set_password
from edge.page.sessions import FILE, IDLE_SECONDS, MOST, Sessions, digest
from edge.page.tries import OF_ALL, OF_ONE, WINDOW_SECONDS, Tries
from edge.settings.page import PageSettings
from tests.page.browser import Browser

RIGHT, WRONG = "correct horse", "wrong horse"
CHEAP = 16
"""A cost of scrypt that no password should have, but a test may."""


@pytest.fixture
def locked(state_dir: Path, start_page: Callable[..., Browser]) -> Browser:
    """One who does not know the password yet."""
    set_password(state_dir, RIGHT, cost=CHEAP)
    return start_page(PageSettings(bind="127.0.0.1"))


def test_nothing_is_told_before_the_password_and_all_of_it_behind(locked: Browser) -> None:
    assert locked.enter() == {"password": True, "logged_in": False, "csrf": None, "version": "0.1.0", "ingress": False}
    for path in ("/api/state", "/api/live", "/api/events", "/api/events.csv", "/api/heat", "/api/sound/abcd", "/metrics"):
        assert locked.ask(path).status == 401, path
    assert locked.ask("/").status == 200 and locked.ask("/page.js").status == 200  # which show the login
    assert locked.login(WRONG).status == 403 and locked.login("").status == 400
    answer = locked.login(RIGHT)
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie and "Secure" not in cookie
    assert locked.ask("/api/state").status == 200 and locked.enter()["logged_in"]
    assert locked.post("/api/logout").status == 200
    assert locked.ask("/api/state").status == 401
    assert locked.post("/api/logout").status == 401


def test_any_name_will_do_behind_a_password(locked: Browser) -> None:
    assert locked.ask("/", Host="board.local:8080").status == 200
    assert locked.ask("/api/state", Host="board.local:8080").status == 401


def test_a_change_needs_both_cookie_and_word(locked: Browser) -> None:
    locked.login(RIGHT)
    word, locked.csrf = locked.csrf, ""
    assert locked.post("/api/logout").status == 403
    locked.csrf, cookie, locked.cookie = word, locked.cookie, ""
    assert locked.post("/api/logout").status == 401
    locked.cookie = cookie
    assert locked.post("/api/logout", Origin="http://evil.example").status == 403
    assert locked.post("/api/logout").status == 200


def test_the_cookie_keeps_to_its_path_and_to_https(state_dir: Path, start_page: Callable[..., Browser]) -> None:
    set_password(state_dir, RIGHT, cost=CHEAP)
    browser = start_page(PageSettings(prefix="/kitchen"))
    assert "Path=/kitchen;" in browser.login(RIGHT).headers["Set-Cookie"]
    cookie = browser.login(RIGHT, X_Forwarded_Proto="https", X_Ingress_Path="/api/hassio_ingress/Ab-1").headers["Set-Cookie"]
    assert "Path=/api/hassio_ingress/Ab-1;" in cookie and "Secure" in cookie
    assert "Path=/kitchen;" in browser.login(RIGHT, X_Ingress_Path="/x; Domain=evil.example").headers["Set-Cookie"]


def test_wrong_passwords_are_few(locked: Browser) -> None:
    for _ in range(OF_ONE):
        assert locked.login(WRONG).status == 403
    answer = locked.login(RIGHT)
    assert answer.status == 429 and 0 < int(answer.headers["Retry-After"]) <= WINDOW_SECONDS
    assert locked.login(RIGHT, X_Forwarded_For="192.168.1.7").status == 200  # another one, behind a proxy of this machine


def test_tries_of_one_and_of_all() -> None:
    now = [0.0]
    tries = Tries(lambda: now[0])
    assert [tries.begun("a") for _ in range(OF_ONE + 1)] == [0.0] * OF_ONE + [WINDOW_SECONDS]
    tries.right("a")
    assert tries.begun("a") == 0.0
    for number in range(OF_ALL - 1):
        assert tries.begun(f"b{number}") == 0.0
    assert tries.begun("c") == WINDOW_SECONDS
    now[0] = WINDOW_SECONDS - 1.0
    assert tries.begun("c") == 1.0
    now[0] = WINDOW_SECONDS
    assert tries.begun("c") == 0.0


def test_a_session_outlives_the_server_but_not_its_password(state_dir: Path, start_page: Callable[..., Browser]) -> None:
    set_password(state_dir, RIGHT, cost=CHEAP)
    first, second = start_page(), start_page()
    first.login(RIGHT)
    third = start_page()  # reads what the first one kept
    third.cookie, third.csrf = first.cookie, first.csrf
    assert third.ask("/api/state").status == 200
    set_password(state_dir, "another horse", cost=CHEAP)
    assert first.ask("/api/state").status == 401 and third.ask("/api/state").status == 401
    assert second.login(RIGHT).status == 403 and second.login("another horse").status == 200


def test_sessions_are_bounded_in_number_and_time(state_dir: Path) -> None:
    now = [1_000_000.0]
    sessions = Sessions(state_dir, lambda: now[0])
    tokens = []
    for _ in range(MOST + 3):
        now[0] += 1.0
        tokens.append(sessions.begin("p"))
    assert [sessions.holds(token, "p") for token in tokens] == [False] * 3 + [True] * MOST
    now[0] += IDLE_SECONDS - 10.0
    assert sessions.holds(tokens[-1], "p")
    now[0] += 100.0
    assert sessions.holds(tokens[-1], "p") and not sessions.holds(tokens[-2], "p")
    again = Sessions(state_dir, lambda: now[0])
    assert again.holds(tokens[-1], "p") and not again.holds(tokens[-2], "p")
    assert not again.holds(tokens[-1], "another") and not again.holds(tokens[-1], "p")


def test_what_is_kept_says_neither_password_nor_token(state_dir: Path, start_page: Callable[..., Browser],
                                                      caplog: pytest.LogCaptureFixture) -> None:
    set_password(state_dir, RIGHT, cost=CHEAP)
    browser = start_page()
    browser.login("a wrong one, of mine")
    browser.login(RIGHT)
    token = browser.cookie.partition("=")[2]
    for name in (PASSWORD, TOKEN, FILE):
        assert stat.S_IMODE((state_dir / name).stat().st_mode) == 0o600
    kept = "".join(path.read_text() for path in state_dir.iterdir() if path.is_file())
    assert digest(token) in kept and RIGHT not in kept and token not in kept and browser.csrf not in kept
    assert "a wrong password from '127.0.0.1'" in caplog.text
    assert "of mine" not in caplog.text and RIGHT not in caplog.text and token not in caplog.text


def test_a_password_file_that_cannot_be_used_opens_nothing(state_dir: Path, start_page: Callable[..., Browser]) -> None:
    set_password(state_dir, RIGHT, cost=CHEAP)
    browser = start_page()
    browser.login(RIGHT)
    (state_dir / PASSWORD).chmod(0o644)
    (state_dir / PASSWORD).write_text("{}")
    answer = browser.ask("/api/state")
    assert answer.status == 503 and "mode 0644" in answer.told["found"]
    (state_dir / PASSWORD).chmod(0o600)
    with pytest.raises(SettingsError, match="--set-password"):
        load_password(state_dir)


@pytest.mark.parametrize("given", ["", "seven77", "x" * 257, "with\x00nothing", "two\nlines!"])
def test_a_password_that_is_none_is_refused(state_dir: Path, given: str) -> None:
    with pytest.raises(SettingsError, match="8 to 256 printable letters") as caught:
        set_password(state_dir, given)
    assert not given or given not in str(caught.value)
    assert load_password(state_dir) is None


@pytest.mark.big
def test_a_password_costs_who_guesses_it(state_dir: Path) -> None:
    set_password(state_dir, RIGHT)
    kept = load_password(state_dir)
    assert kept is not None and kept.fits(RIGHT) and not kept.fits(WRONG)
    assert (kept.cost, kept.block, kept.times) == (16_384, 8, 5)  # OWASP's choice of 16 MiB


def test_sessions_that_cannot_be_read_are_none(state_dir: Path) -> None:
    (state_dir / FILE).write_text(json.dumps({"password": "p", "sessions": [1]}))
    assert not Sessions(state_dir).holds("x", "p")
