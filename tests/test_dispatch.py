"""When health is handed on: by the clock, and at once when what ails the hearing changes."""

from __future__ import annotations

from edge.clock import StreamClock
from edge.dispatch import TROUBLE_SECONDS, Dispatcher
from edge.stats import Stats
from tests.fakes import FakeSink


def test_health_is_due_at_once_when_a_trouble_comes_goes_or_becomes_another() -> None:
    """A microphone that was pulled out was in health up to a minute later."""
    now, trouble, sink = [1_000.0], [""], FakeSink()
    out = Dispatcher(StreamClock(monotonic=lambda: now[0]), Stats(), health_seconds=60.0, trouble=lambda: trouble[0],
                     about=lambda: {"source_trouble": trouble[0]})
    out.sinks = (sink,)

    def after(seconds: float, is_now: str) -> list[object]:
        now[0] += seconds
        trouble[0] = is_now
        out.health()
        return [health["source_trouble"] for health in sink.healths]

    assert after(0.0, "") == [""]
    assert after(30.0, "") == [""]
    assert after(0.1, "missing") == ["", "missing"]
    assert after(5.0, "missing") == ["", "missing"]
    assert after(5.0, "silent") == ["", "missing", "silent"]
    # One that comes and goes in every block fills no broker, and how it is in the end is told all the same.
    for seconds in (0.1, 0.2, 0.3, 0.4):
        assert after(0.1, "" if seconds in (0.1, 0.3) else "silent") == ["", "missing", "silent"]
    assert after(TROUBLE_SECONDS, "") == ["", "missing", "silent", ""]
    assert after(59.0, "") == ["", "missing", "silent", ""]
    assert after(1.0, "") == ["", "missing", "silent", "", ""]
