"""Smoke and CO alarms by their rhythm, in recordings. `measure_alarm.py` hears all of them, and rooms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.decision.rhythm import T3
from edge.stream import SAMPLE_RATE
from tests.decision.measure_alarm import CYCLES, WITHIN, looped, raised, samples_of, scene
from tests.recordings import classes_in_turn, recordings

ALIKE = {"alarm_beep", "alarm_clock", "phone_ring", "siren", "doorbell", "neg_tone", "church_bells", "whistle"}
"""Classes whose every recording is heard here."""
OTHERS = 150


def path_of(shared: Path, name: str) -> Path:
    alarms = [row["path"] for row in recordings(shared) if row["class"] == "smoke_alarm"]
    return shared / "data" / next(path for path in alarms if name in path)


@pytest.mark.parametrize("name", CYCLES)
def test_a_recorded_alarm_is_heard_in_time(shared: Path, name: str) -> None:
    """Each recording has one whole cycle, so it is looped."""
    ((start, told),) = raised(looped(path_of(shared, name)))
    assert start.target == "smoke_alarm" and start.probability > 0.9
    assert told - start.start / SAMPLE_RATE < WITHIN


@pytest.mark.parametrize("name", CYCLES)
def test_its_one_cycle_as_recorded_is_half_the_evidence(shared: Path, name: str) -> None:
    sound = samples_of(path_of(shared, name))
    assert raised(sound) == []
    ((start, _),) = raised(sound, threshold=0.4)
    assert start.target == "smoke_alarm"
    assert start.start / SAMPLE_RATE == pytest.approx(CYCLES[name][0], abs=0.2)


def test_an_alarm_over_ambience_in_a_measured_room(shared: Path) -> None:
    chance = np.random.default_rng(3)
    train = shared / "data" / "train"
    rooms = sorted((train / "rir").iterdir())[:6]
    bed = np.concatenate([samples_of(path).astype(float) for path in sorted((train / "neg_ambience").iterdir())[:3]])
    bed = np.resize(bed / np.sqrt(np.mean(bed**2)), 24 * SAMPLE_RATE)
    heard = 0
    for room in rooms:
        sound, first = scene(T3, chance, samples_of(room).astype(float), bed, 0.0, low=False)
        heard += any(each.target == "smoke_alarm" and told - first <= WITHIN for each, told in raised(sound))
    assert heard >= 5


def test_what_is_no_alarm_raises_none(shared: Path) -> None:
    rows = recordings(shared)
    others = [row for row in classes_in_turn(rows) if row["class"] not in ALIKE][:OTHERS]
    chosen = [row for row in rows if row["class"] in ALIKE] + others
    assert len(chosen) > 220
    found = {row["path"]: raised(samples_of(shared / "data" / row["path"])) for row in chosen}
    assert not {path: events for path, events in found.items() if events}
