"""Lessons, undo and the settings on the page: the real server, and the real commands as its children."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from edge.page import lesson
from edge.page.password import set_password
from edge.settings import Settings
from edge.sinks.watching.sink import WatchSink
from tests.cli.talking import PATIENCE_SECONDS, knocks, microphone
from tests.page.browser import Browser, Look
from tests.page.conftest import serving
from tests.page.test_page_live import wait_for

pytestmark = pytest.mark.big

STEPS = Path(__file__).resolve().parents[2] / "models" / "demo" / "steps.wav"
KNOCK = {"kind": "teach", "name": "my_knock", "count": 5}


def children() -> set[int]:
    """Processes that this one has begun and that are not over."""
    found = "".join(each.read_text() for each in Path("/proc/self/task").glob("*/children"))
    return {int(each) for each in found.split() if "edge" in Path(f"/proc/{each}/cmdline").read_text()}


def told(look: Look) -> list[Any]:
    return [each["line"] for each in look.told if each["kind"] == "lesson"]


def until(look: Look, kind: str) -> dict[str, Any]:
    """The newest line of the lesson, once one of this kind is told."""
    return until_many(look, kind, 1)


def until_many(look: Look, kind: str, count: int) -> dict[str, Any]:
    """The last line of this kind, once so many are told. A model is opened, and fitted, meanwhile."""
    look.until(lambda _: [line["kind"] for line in told(look)].count(kind) >= count, PATIENCE_SECONDS)
    found: dict[str, Any] = next(line for line in reversed(told(look)) if line["kind"] == kind)
    return found


@pytest.fixture
def deaf(tmp_path: Path) -> Path:
    """Settings whose microphone hears noise and nothing else, for ever."""
    config = tmp_path / "deaf.toml"
    noise = "while head -c 3200 /dev/urandom; do sleep 0.1; done"
    config.write_text(f'[source]\nkind = "command"\ncommand = ["sh", "-c", "{noise}"]\n')
    return config


def test_a_sound_is_taught_kept_listed_and_taken_back(shared: Path, tmp_path: Path, state_dir: Path,
                                                      start_page: Callable[..., Browser]) -> None:
    browser = start_page(config=microphone(tmp_path, knocks(shared, 6)))
    browser.enter()
    assert browser.ask("/api/lesson").told == {"running": False, "kind": None, "name": None, "lines": []}
    with browser.look() as look, browser.look() as other:
        assert browser.post("/api/lesson", KNOCK).told == {"ok": True}
        assert browser.post("/api/lesson/answer", {"answer": "keep"}).status == 409  # nothing has come out yet
        outcome = until(look, "outcome")
        state = browser.ask("/api/lesson").told
        assert state["running"] and (state["kind"], state["name"]) == ("teach", "my_knock")
        kinds = [line["kind"] for line in state["lines"] if line["kind"] != "level"]
        assert kinds == ["begun", "listening", *["recording"] * 5, "fitting", "outcome"]
        assert len([line for line in state["lines"] if line["kind"] == "level"]) == 1
        answer = browser.post("/api/lesson", {"kind": "calibrate"})
        assert answer.status == 409 and answer.told["found"] == "a lesson that runs: teach my_knock"
        assert browser.post("/api/lesson/answer", {"answer": "maybe"}).status == 400
        assert browser.post("/api/lesson/answer", {"answer": "keep"}).told == {"ok": True}
        assert until(look, "kept")["name"] == "my_knock"
        assert until(look, "ended") == {"kind": "ended", "code": 0, "reason": ""}
        until(other, "ended")
        assert [line for line in told(other) if line["kind"] != "level"] == [
            line for line in told(look) if line["kind"] != "level"]
    assert told(look)[0] == {"kind": "begun", "job": "teach", "name": "my_knock"}
    wait_for(lambda: not browser.ask("/api/lesson").told["running"])
    assert browser.post("/api/lesson/answer", {"answer": "keep"}).status == 409
    (row,) = browser.ask("/api/taught").told["sounds"]
    assert row == outcome["row"] | {"taught_at": row["taught_at"]}
    undone = browser.post("/api/undo")
    assert undone.told == {"ok": True, "undone": "taught my_knock", "reloaded": False}
    assert browser.ask("/api/taught").told["sounds"] == []
    undone = browser.post("/api/undo")
    assert undone.status == 409 and "nothing taught" in undone.told["found"]


def test_what_the_command_refuses_is_told(deaf: Path, start_page: Callable[..., Browser]) -> None:
    browser = start_page(config=deaf)
    browser.enter()
    with browser.look() as look:
        browser.post("/api/lesson", {"kind": "calibrate", "targets": ["cow"], "minutes": 1})
        error = until(look, "error")
        assert "cow" in f"{error['thing']} {error['found']}" and error["wanted"]
        assert until(look, "ended") == {"kind": "ended", "code": 2, "reason": ""}


def test_a_lesson_is_stopped_and_a_child_that_dies_is_told_of(deaf: Path, state_dir: Path,
                                                             start_page: Callable[..., Browser]) -> None:
    browser = start_page(config=deaf)
    browser.enter()
    assert browser.post("/api/lesson/stop").status == 409
    with browser.look() as look:
        browser.post("/api/lesson", KNOCK)
        until(look, "listening")
        assert browser.post("/api/lesson/stop").told == {"ok": True}
        assert until(look, "ended")["reason"] == "stopped" and not children()
        browser.post("/api/lesson", KNOCK)
        until_many(look, "listening", 2)
        (child,) = children()
        os.kill(child, signal.SIGKILL)
        assert until_many(look, "ended", 2) == {"kind": "ended", "code": -9, "reason": "ended by signal 9"}
    assert not (state_dir / "taught").exists()


def test_a_lesson_that_nobody_looks_at_any_more_is_ended(deaf: Path, start_page: Callable[..., Browser],
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lesson, "GONE_SECONDS", 1.0)
    monkeypatch.setattr(lesson, "LOOK_SECONDS", 0.1)
    browser = start_page(config=deaf)
    browser.enter()
    with browser.look() as look:
        browser.post("/api/lesson", KNOCK)
        until(look, "listening")
        time.sleep(2.0)
        assert children() and browser.ask("/api/lesson").told["running"]
    wait_for(lambda: not children())  # without asking: who asks looks
    wait_for(lambda: not browser.ask("/api/lesson").told["running"])
    assert browser.ask("/api/lesson").told["lines"][-1]["reason"] == "nobody looked for 1 s"


def test_a_calibration_goes_on_without_anybody_and_waits_for_the_answer(
        tmp_path: Path, start_page: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GONE_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(lesson, name, 0.1)
    monkeypatch.setattr(lesson, "ANSWER_SECONDS", 2.0)
    config = tmp_path / "room.toml"
    config.write_text(f'[source]\nkind = "file"\npath = "{STEPS}"\npaced = false\n')
    browser = start_page(config=config)
    browser.enter()
    with browser.look() as look:
        browser.post("/api/lesson", {"kind": "calibrate"})
        until(look, "begun")
    wait_for(lambda: not children())  # without asking: who asks looks
    wait_for(lambda: not browser.ask("/api/lesson").told["running"])
    *_, before, ended = browser.ask("/api/lesson").told["lines"]
    assert before["kind"] == "outcome" and ended["reason"] == "nobody looked for 2 s"


def test_a_lesson_ends_with_the_page(deaf: Path, state_dir: Path) -> None:
    with serving(state_dir, Settings(), deaf) as page:
        page.enter()
        page.post("/api/lesson", KNOCK)
        wait_for(lambda: any(line["kind"] == "listening" for line in page.ask("/api/lesson").told["lines"]))
        assert children()
    assert not children()


@pytest.mark.parametrize(("given", "words"), [
    ({}, "teach or calibrate"), ({"kind": "teach"}, "letters, digits"), ({"kind": "teach", "name": "--force "}, "letters"),
    ({"kind": "teach", "name": "a", "count": True}, "how many"), ({"kind": "teach", "name": "a", "sound": ""}, "lasting"),
    ({"kind": "calibrate", "minutes": "1"}, "a number"), ({"kind": "calibrate", "minutes": 1e9}, "a week"),
    ({"kind": "calibrate", "targets": "siren"}, "a list"), ({"kind": "calibrate", "targets": ["a\x00"]}, "a list"),
    ({"kind": "calibrate", "budget": "--dry-run"}, "1/day")])
def test_what_is_no_lesson_is_named(browser: Browser, given: dict[str, Any], words: str) -> None:
    browser.enter()
    answer = browser.post("/api/lesson", given)
    assert answer.status == 400 and words in answer.told["wanted"] and not browser.ask("/api/lesson").told["running"]


def test_a_lesson_takes_a_session_and_its_word(state_dir: Path, start_page: Callable[..., Browser]) -> None:
    set_password(state_dir, "correct horse", cost=16)
    browser = start_page()
    for path in ("/api/lesson", "/api/taught", "/api/settings"):
        assert browser.ask(path).status == 401, path
    for path in ("/api/lesson", "/api/lesson/answer", "/api/lesson/stop", "/api/undo"):
        assert browser.post(path, KNOCK).status == 401, path
    browser.login("correct horse")
    browser.csrf = ""
    for path in ("/api/lesson", "/api/lesson/answer", "/api/lesson/stop", "/api/undo"):
        assert browser.post(path, KNOCK).status == 403, path


def test_settings_are_as_check_sees_them(tmp_path: Path, state_dir: Path, start_page: Callable[..., Browser]) -> None:
    """No device is opened; the appliance that runs is asked about them."""
    config = tmp_path / "edge-audio.toml"
    config.write_text('[mqtt]\nhost = "127.0.0.1"\nport = 1\nuser = "me"\npassword_file = "/nowhere"\n')
    browser = start_page(config=config)
    seen = browser.ask("/api/settings").told
    assert seen["file"] == str(config) and seen["problems"] == []
    rows = {row["part"]: row for row in seen["rows"]}
    assert {"state", "model", "secrets", "commands", "log"} <= rows.keys() and not {"source", "pins"} & rows.keys()
    assert not rows["secrets"]["ok"] and rows["secrets"]["advice"]
    sink = WatchSink(state_dir, "kitchen", lambda: {"version": "0.1.0", "source": "no microphone", "sinks": {"mqtt": "ok"}})
    sink.start()
    try:
        wait_for(lambda: browser.ask("/healthz").status == 200)
        rows = {row["part"]: row for row in browser.ask("/api/settings").told["rows"]}
    finally:
        sink.stop()
    assert rows["service"]["ok"] and not rows["source"]["ok"] and rows["mqtt"]["ok"] and "secrets" not in rows
    config.write_text("[source]\nkind = 7\n")
    seen = browser.ask("/api/settings").told
    assert seen["rows"] == [] and "[source] kind" in seen["problems"][0]


def test_the_broker_s_password_of_the_service_is_no_problem_of_the_page_s(
        tmp_path: Path, start_page: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch) -> None:
    """While the appliance is down the page asks `check` itself, which has not the credentials of the appliance's unit."""
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    config = tmp_path / "edge-audio.toml"
    config.write_text('[mqtt]\nhost = "127.0.0.1"\nport = 1\nuser = "me"\npassword_credential = "mqtt-password"\n')
    rows = {row["part"]: row for row in start_page(config=config).ask("/api/settings").told["rows"]}
    assert rows["secrets"]["ok"] and "not looked at" in rows["secrets"]["text"]
    assert rows["broker"]["ok"] and "was not asked" in rows["broker"]["text"]


def test_a_look_at_the_settings_that_dies_is_a_problem(start_page: Callable[..., Browser]) -> None:
    browser = start_page()
    died = {"rows": [], "problems": ["exit code -9"], "file": None}
    with ThreadPoolExecutor() as threads:
        for _ in range(10):  # on a busy machine it may be done before it is killed
            asked = threads.submit(browser.ask, "/api/settings")
            wait_for(children)
            for child in children():
                os.kill(child, signal.SIGKILL)
            if (told := asked.result().told) == died:
                break
    assert told == died
