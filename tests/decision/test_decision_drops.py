"""Sound that stops at once, as a noise gate or a mute cuts it: no event without a rise."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from decision_scripts import HOP, PATCH, clap_target, run
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from edge.control.loading import load_model
from edge.decision.onset import Onset, OnsetDetector
from edge.decision.targets import Targets
from edge.features.logmel import LogMel
from edge.settings import TargetSettings
from edge.stream import FRAME_SAMPLES, FRAME_STEP, SAMPLE_RATE
from edge.workshop.classify import classify

CUT = 2 * SAMPLE_RATE + 137
"""Sample at which the sound stops: on no frame's border."""
NEAR = 960
NAMES = ("hand_clap", "finger_snap", "door_knock")


def noise(seed: int, centre: float, octaves: float, level: float, *, samples: int = 4 * SAMPLE_RATE) -> NDArray[np.float64]:
    """Steady noise around a frequency (Hz), over a little white noise; level: RMS, of full scale."""
    rng = np.random.default_rng(seed)
    frequency = np.maximum(np.fft.rfftfreq(samples, 1 / SAMPLE_RATE), 1.0)
    shape = np.exp(-((np.log2(frequency / centre) / octaves) ** 2)) + 1e-3
    wave = np.fft.irfft(shape * (rng.normal(size=len(shape)) + 1j * rng.normal(size=len(shape))), samples)
    return np.asarray(level * wave / np.sqrt(np.mean(wave**2)))


def dropped(sound: NDArray[np.float64], left: float, *, back: int | None = None) -> NDArray[np.float64]:
    """The sound, times `left` from CUT on, and whole again from the sample `back` on."""
    gain = np.ones(len(sound))
    gain[CUT:back] = left
    return sound * gain


def rows_of(sound: NDArray[np.float64]) -> NDArray[np.float32]:
    samples = np.clip(np.rint(sound * 32_768.0), -32_768, 32_767).astype(np.int16)
    return LogMel().rows(sliding_window_view(samples, FRAME_SAMPLES)[::FRAME_STEP]).copy()


def onsets(sound: NDArray[np.float64]) -> list[Onset]:
    return OnsetDetector().push(rows_of(sound), 0)


SOUNDS = [pytest.param(noise(seed, centre, octaves, level), id=f"{centre:g} Hz, {octaves:g} octaves, {level:g}")
          for seed, (centre, octaves, level) in enumerate([
              (1_000.0, 9.0, 0.3), (1_000.0, 9.0, 0.003), (200.0, 0.5, 0.1), (1_500.0, 0.5, 0.1), (1_500.0, 1.0, 0.01),
              (3_000.0, 0.3, 0.03), (500.0, 2.0, 0.003), (5_000.0, 1.0, 0.1)])]


@pytest.mark.parametrize("left", [0.0, 0.001, 0.01, 0.1])
@pytest.mark.parametrize("sound", SOUNDS)
def test_a_drop_is_no_onset_and_its_end_is_one(sound: NDArray[np.float64], left: float) -> None:
    back = CUT + SAMPLE_RATE
    found = [onset.position for onset in onsets(dropped(sound, left, back=back))]
    assert not [at for at in found if abs(at - CUT) <= NEAR]
    assert [at for at in found if abs(at - back) <= NEAR]


@pytest.mark.parametrize("sound", SOUNDS)
def test_a_model_that_hears_a_clap_in_a_drop_raises_none(sound: NDArray[np.float64]) -> None:
    """Two patches in a row that named a clap without an onset took the noise's steepest ripple for one."""
    rows = rows_of(dropped(sound, 0.01))
    sure = CUT / SAMPLE_RATE

    def said(start: float) -> float:
        return 0.9 if start < sure - 0.06 < start + PATCH / SAMPLE_RATE - 0.1 else 0.0

    found = run(rows, said, Targets((clap_target(),)), hop=HOP // 2)
    assert [each for each in found if each.start > SAMPLE_RATE] == []


@pytest.mark.parametrize(("seed", "centre", "octaves", "level"), [
    (12, 1_154.0, 0.9, 0.065), (15, 1_271.0, 0.9, 0.011), (17, 1_294.0, 0.8, 0.039), (32, 1_109.0, 0.9, 0.01)])
@pytest.mark.parametrize("left", [0.0, 0.05])
def test_noise_that_a_gate_shuts_raises_nothing(
        seed: int, centre: float, octaves: float, level: float, left: float, tmp_path: Path) -> None:
    """The starter's clap score of such a cut came to 0.45, and a clap was raised within 6 ms of the cut."""
    targets = tuple(TargetSettings(name=name, threshold=0.15, release_threshold=0.1) for name in NAMES)
    heard = classify(load_model("starter", state_dir=tmp_path), dropped(noise(seed, centre, octaves, level), left),
                     targets=targets, hop_seconds=0.12, embeddings=False, bands=False)
    # What begins with the stream is an onset of its own.
    assert [event for event, start, _ in heard.timed_events() if start > 0.3] == []
