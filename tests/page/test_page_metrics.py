"""Figures as Prometheus reads them: with the official library's own parser."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edge.page.metrics import Figures
from edge.page.password import TOKEN, set_password
from edge.sinks.watching.sink import WatchSink
from edge.stats import Stats
from tests.page.browser import Answer, Browser
from tests.page.made import event, hearing


def figures(answer: Answer) -> dict[Any, float]:
    """Each sample's value by its name, or its name and one label's value."""
    assert answer.status == 200 and answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return {sample.name if not sample.labels else (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(answer.body.decode()) for sample in family.samples}


def test_without_an_appliance_that_is_said(browser: Browser) -> None:
    assert figures(browser.ask("/metrics")) == {"edge_audio_up": 0.0, "edge_audio_page_viewers": 0.0}


def test_what_the_appliance_tells(state_dir: Path, browser: Browser) -> None:
    stats = Stats(blocks=12, lost_samples=480)
    told = {"version": "9.9", "model": "starter", "source": "no microphone", "delegate": "ok", "muted": True,
            "sinks": {"mqtt": "ok", "journal": "disk full", "log": "ok; 2 lines were long"}, "waiting_messages": 3}
    sink = WatchSink(state_dir, "kitchen", lambda: told, counters=stats.snapshot)
    sink.start()
    try:
        sink.event(event("before"))
        with browser.look() as look:
            look.until(lambda told: any(each["kind"] == "health" for each in told))
            sink.hearing(hearing())
            look.until(lambda told: any(each["kind"] == "hearing" for each in told))
            assert figures(browser.ask("/metrics"))["edge_audio_events_total", "hand_clap"] == 0.0  # known before the first
            for target in ("hand_clap", "hand_clap", "typing"):
                sink.event(event(target, phase="start"))
                sink.event(event(target))
            look.until(lambda told: len([each for each in told if each["kind"] == "event"]) == 6)
            found = figures(browser.ask("/metrics"))
        assert found["edge_audio_up"] == 1.0 and found["edge_audio_page_viewers"] == 1.0
        assert found["edge_audio_events_total", "hand_clap"] == 2.0 and found["edge_audio_events_total", "typing"] == 1.0
        assert found["edge_audio_events_total", "before"] == 0.0
        assert found["edge_audio_probability", "hand_clap"] == 0.93 and found["edge_audio_threshold", "hand_clap"] == 0.5
        assert found["edge_audio_level_dbfs"] == -30.0 and found["edge_audio_noise_floor_dbfs"] == -60.0
        assert found["edge_audio_blocks_total"] == 12.0 and found["edge_audio_lost_samples_total"] == 480.0
        parts = ("source", "delegate", "sink:mqtt", "sink:journal", "sink:log")
        assert [found["edge_audio_part_ok", part] for part in parts] == [0, 1, 1, 0, 1]
        assert found["edge_audio_muted"] == 1.0 and found["edge_audio_waiting_messages"] == 3.0
        assert 0.0 <= found["edge_audio_uptime_seconds"] < 600.0
        assert any(name[0] == "edge_audio_info" and "9.9" in name for name in found if isinstance(name, tuple))
    finally:
        sink.stop()


def test_an_event_told_again_counts_once() -> None:
    """A page that lost its appliance for a moment is told the last events again; those it had not heard of count."""
    found = Figures({}, lambda: True, lambda: 0)

    def told(sequence: int) -> dict[str, Any]:
        return {"kind": "event", "event": {"sequence": sequence, "target": "t", "phase": "start"}}

    for sequence, past in ((1, True), (2, True), (3, False), (2, True), (3, True), (4, True), (5, False)):
        found.note(told(sequence), past)
    assert b'edge_audio_events_total{target="t"} 3.0' in found.text()


def test_a_password_leaves_the_figures_to_the_token(state_dir: Path, start_page: Callable[..., Browser]) -> None:
    set_password(state_dir, "correct horse", cost=16)
    browser = start_page()
    token = (state_dir / TOKEN).read_text().strip()
    for given in ("", "Bearer", "Bearer x", f"Basic {token}", f"Bearer {token}x"):
        assert browser.ask("/metrics", Authorization=given).status == 401
    assert browser.ask("/metrics", Authorization=f"Bearer {token}").status == 200
    assert browser.ask("/api/state", Authorization=f"Bearer {token}").status == 401
    browser.login("correct horse")
    assert browser.ask("/metrics").status == 200
    (state_dir / TOKEN).unlink()
    set_password(state_dir, "another horse", cost=16)
    assert browser.ask("/metrics", Authorization=f"Bearer {token}").status == 401


@pytest.mark.parametrize("path", ["/metrics", "/healthz"])
def test_strange_hosts_see_no_figures(appliance: WatchSink, browser: Browser, path: str) -> None:
    assert browser.ask(path).status == 200
    assert browser.ask(path, Host="evil.example").status == 403
