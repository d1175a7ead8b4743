"""How much a series of onsets counts: the fit finds what tells typing, and raises no more false alarms than it may."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from edge.model.impulse import load_impulse_manifest
from edge.stream import SAMPLE_RATE
from models.impulse.series import ALARMS, Followed, Scene, alarms, fit

MODELS = Path(__file__).resolve().parents[2] / "models"


def scene(seed: int, *, typing: bool, onsets: int, patch: float = -2.0, look: float = -3.0) -> Followed:
    """A minute of patches; typing from 20 s to 40 s. onsets: while it sounds, or all the time where nothing is typed."""
    chance = np.random.default_rng(seed)
    ends = np.arange(0.975, 60.0, 0.24)
    on = (ends > 20.0) & (ends < 40.0) if typing else np.ones(len(ends), np.bool_)
    count = np.where(on, np.maximum(onsets + chance.integers(-1, 2, len(ends)), 0), 0)
    alone = np.where(on, patch, -6.0) + chance.normal(0.0, 1.0, len(ends))
    sums = count * look + chance.normal(0.0, 1.0, len(ends))
    return Followed(ends, alone, np.stack((alone, count, sums), 1), count >= 3,
                    Scene(np.zeros(60 * SAMPLE_RATE, np.int16), ((20.0, 40.0),) if typing else ()))


HEARD = [*(scene(seed, typing=True, onsets=8) for seed in range(4)),
         *(scene(seed, typing=False, onsets=1) for seed in range(4, 40)),
         *(scene(seed, typing=False, onsets=7, patch=-6.0, look=-5.0) for seed in range(40, 80))]


def test_the_fit_finds_typing_that_patches_alone_do_not_tell() -> None:
    patch, onset, look, offset = fit(HEARD, 0.5)
    assert patch > 0.0 and onset > 0.0 and look > 0.0
    weights = np.array([patch, onset, look])
    for one in HEARD[:4]:
        said = one.counted @ weights + offset
        assert np.mean(said[(one.ends > 22.0) & (one.ends < 40.0)] >= 0.5) > 0.8
        assert np.mean(one.alone[(one.ends > 22.0) & (one.ends < 40.0)] >= 0.5) < 0.1


def test_a_fit_raises_no_more_false_alarms_than_it_may() -> None:
    *weights, offset = fit(HEARD, 0.5)
    hours = len(HEARD) / 60.0
    assert sum(alarms(one, np.array(weights), offset, 0.5) for one in HEARD) <= ALARMS * hours
    assert sum(alarms(one, np.array(weights), offset + 30.0, 0.5) for one in HEARD) > ALARMS * hours


def test_an_alarm_of_a_patch_alone_is_not_the_series() -> None:
    one = HEARD[60]
    sure = np.zeros(len(one.ends))
    sure[::4] = 2.0
    weights = np.array([0.0, 1.0, 0.0])
    assert alarms(one, weights, 0.0, 0.5) > 0
    assert alarms(Followed(one.ends, sure, one.counted, one.whole, one.scene), weights, 0.0, 0.5) == 0


@pytest.mark.parametrize("name", ["starter", "yamnet"])
def test_a_series_that_ships_was_fitted_with_the_calibration_that_ships(name: str) -> None:
    calibration = json.loads((MODELS / name / "calibration-litert.json").read_text(encoding="utf-8"))
    one, = load_impulse_manifest(MODELS / "impulse").series_for(calibration["binding"]["sha256"])
    own = calibration["targets"][one.target]
    assert (one.calibrated.scale, one.calibrated.offset) == (own["scale"], own["offset"])
    assert own["scale_below"] == own["scale"]
