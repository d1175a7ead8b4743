"""A busy half minute: 30 events of eight targets, listed and drawn."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from edge.stream import SAMPLE_RATE, Event
from edge.workshop.classify import Classification
from edge.workshop.report import ClassificationPrinter

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
LABELS = tuple(f"a_sound_of_a_long_name_{number}" for number in range(8))


def event(number: int) -> Event:
    """Every fourth event lasts. So the order of ends, in which the listener gives them, is not that of starts."""
    start = number * SAMPLE_RATE
    end = start + round((6.0 if number % 4 == 0 else 0.1) * SAMPLE_RATE)
    return Event(f"{number}", 1, "end", LABELS[number % 8], "label", 0.9, 0.9, start, end, BEGAN,
                 BEGAN + timedelta(seconds=1), -20.0)


@pytest.fixture
def busy() -> Classification:
    events = sorted(map(event, range(30)), key=lambda one: one.end or 0)
    scores = np.full((62, 8), 0.5, np.float32)
    return Classification("busy.wav", 30.0, "ears", "none", 0.48, 15_600, LABELS, np.arange(62) * 0.48, scores, None,
                          np.zeros((3000, 64), np.float32), tuple(events))


def test_events_are_listed_in_the_order_of_their_starts(busy: Classification) -> None:
    """A siren that began before a clap stood behind it, since it ended later."""
    found = {}
    for form in ("table", "csv", "json"):
        out = io.StringIO()
        ClassificationPrinter(form, out).print(busy)
        found[form] = out.getvalue()
    starts = [float(number) for number in range(30)]
    assert [one["start_seconds"] for one in json.loads(found["json"])["events"]] == starts
    assert [float(line.split(",")[2]) for line in found["csv"].splitlines() if ",event," in line] == starts
    assert [float(line.split()[2]) for line in found["table"].splitlines() if line.startswith("  event")] == starts


@pytest.mark.big
def test_no_name_in_the_picture_covers_another_or_runs_out(busy: Classification, tmp_path: Path) -> None:
    """Each event had its target's name beside it: thirty names covered one another and ran past the axis."""
    plot = pytest.importorskip("edge.workshop.plot", reason="matplotlib is not installed here")
    plot.plot_classification(busy, tmp_path / "out.png")
    figure = plot.classification_figure(busy)
    figure.canvas.draw()
    names = [text for axes in figure.axes for text in (*axes.texts, *axes.get_yticklabels(), axes.title) if text.get_text()]
    assert {text.get_text() for text in names} >= set(LABELS)
    boxes = [text.get_window_extent() for text in names]
    assert all(figure.bbox.contains(*corner) for box in boxes for corner in box.corners())
    assert not [1 for number, box in enumerate(boxes) for other in boxes[:number] if box.overlaps(other)]
    drawn = sum(len(bars.get_paths()) for axes in figure.axes for bars in axes.collections)
    assert drawn >= 30, "a bar for every event"
    plot.plt.close(figure)


def test_a_sound_without_events_says_so(busy: Classification) -> None:
    plot = pytest.importorskip("edge.workshop.plot", reason="matplotlib is not installed here")
    figure = plot.classification_figure(replace(busy, events=()))
    assert "no event" in [axes.get_ylabel() for axes in figure.axes]
    plot.plt.close(figure)


def test_what_raised_an_event_has_a_row_of_scores_too(busy: Classification) -> None:
    """A siren among the events had no row below, where the five highest labels stood."""
    plot = pytest.importorskip("edge.workshop.plot", reason="matplotlib is not installed here")
    heard = replace(busy, events=tuple(replace(one, label=LABELS[6]) for one in busy.events))
    figure = plot.classification_figure(heard, top=2)
    rows = [text.get_text() for text in figure.axes[2].get_yticklabels()]
    assert rows == [LABELS[0], LABELS[1], LABELS[6]]
    plot.plt.close(figure)
