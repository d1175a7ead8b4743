"""The patterns that deploy/patterns.toml offers, heard by the starter model in sounds made from formulas."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge import classify, load_model
from edge.settings import TargetSettings
from edge.settings_file import load_settings
from edge.stream import SAMPLE_RATE
from edge.workshop.models.install import Installer

OFFERED = load_settings(Path(__file__).resolve().parent.parent / "deploy" / "patterns.toml").target
YAMNET_BEEPS = ("Smoke detector, smoke alarm", "Beep, bleep")


def alarm(hertz: float, *, groups: int = 3, beeps: int = 3, pause: float = 1.0) -> np.ndarray:
    """Beeps of half a second, half a second apart; `pause` more after each group; a little noise in the room."""
    time = np.arange(SAMPLE_RATE // 2) / SAMPLE_RATE
    edge = np.minimum(1.0, np.minimum(time, 0.5 - time) / 0.005)
    beep = 8_000.0 * edge * (np.sin(2 * np.pi * hertz * time) + 0.2 * np.sin(4 * np.pi * hertz * time))
    group = np.concatenate([np.concatenate([beep, np.zeros(SAMPLE_RATE // 2)])] * beeps
                           + [np.zeros(round(pause * SAMPLE_RATE))])
    sound = np.concatenate([np.zeros(2 * SAMPLE_RATE), *[group] * groups, np.zeros(2 * SAMPLE_RATE)])
    return np.rint(sound + np.random.default_rng(0).normal(0.0, 20.0, len(sound))).astype(np.int16)


def heard(model: str, sound: np.ndarray, targets: tuple[TargetSettings, ...], state: Path | None = None) -> list[float]:
    found = classify(load_model(model, state_dir=state), sound, targets=targets, embeddings=False, bands=False)
    return [event.start / SAMPLE_RATE for event in found.events if event.target == "smoke_alarm"]


@pytest.mark.parametrize("hertz", [520.0, 3100.0])
def test_the_starter_hears_a_smoke_alarm_from_its_first_beep(hertz: float) -> None:
    assert heard("starter", alarm(hertz), OFFERED) == [pytest.approx(2.0, abs=0.05)]


def test_steady_beeps_are_no_smoke_alarm() -> None:
    assert heard("starter", alarm(3100.0, groups=1, beeps=12), OFFERED) == []


def test_two_beeps_and_a_pause_are_no_smoke_alarm() -> None:
    assert heard("starter", alarm(3100.0, beeps=2, pause=1.5), OFFERED) == []


@pytest.mark.big
def test_yamnet_hears_it_by_the_rhythm_or_by_labels_that_the_settings_give_it(yamnet_file: Path, tmp_path: Path) -> None:
    Installer(tmp_path).install(yamnet_file)
    assert heard("yamnet", alarm(3100.0), OFFERED, tmp_path) == [pytest.approx(2.0, abs=0.05)]
    by_label = (TargetSettings(name="smoke_alarm", labels=YAMNET_BEEPS, threshold=0.1, release_seconds=4.0),)
    assert len(heard("yamnet", alarm(3100.0, groups=1), by_label, tmp_path)) == 1, "one group is no rhythm"
