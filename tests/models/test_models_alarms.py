"""models/alarms.py: own rows on all recordings, left-out logits of another training refused."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.learn.calibrate import Basis, parse_budget, threshold_logit
from edge.learn.figures import alarm_places
from edge.learn.labelled import calibrate_labelled

MODELS = Path(__file__).resolve().parents[2] / "models"
HOP_SECONDS = 0.24


@pytest.fixture(scope="module")
def alarms() -> Any:
    """The script, with what it stands on."""
    pytest.importorskip("soundfile")
    before = list(sys.path)
    sys.path[:0] = [str(MODELS), str(MODELS / "starter")]
    try:
        import alarms
    finally:
        sys.path[:] = before
    return alarms


def lot(alarms: Any, split: str, seed: int, *, clips: int = 40) -> tuple[list[Any], list[np.ndarray]]:
    """Ten whistles, which score higher, among speech; two clips of each source."""
    random = np.random.default_rng(seed)
    labels = ["whistle"] * 10 + ["neg_speech"] * (clips - 10)
    found = [alarms.Clip(f"{split}/{number}.flac", label, split, f"{split}{number // 2}", "", "", "", "", 20.0)
             for number, label in enumerate(labels)]
    return found, [(random.normal(3.0 if label == "whistle" else -3.0, 1.5, 80)).astype(np.float32) for label in labels]


def test_alarms_are_those_left_out_and_those_of_clips_that_only_measure(alarms: Any) -> None:
    model, label = SimpleNamespace(patch_samples=15_600), next(one for one in alarms.LABELS if one.name == "whistle")
    train, (clips, logits) = lot(alarms, "train", 1), lot(alarms, "eval", 2, clips=30)
    unseen = clips, [each + np.float32(2.0) for each in logits]
    entry, worth = calibrate_labelled(alarms.sounds_of(label, *train), Basis(("whistle",), "0" * 64, 0.0),
                                      parse_budget(alarms.BUDGET), hop_seconds=HOP_SECONDS, patch_samples=15_600)
    found = alarms.judged(model, label, entry, train, unseen)
    start = threshold_logit(entry)
    speech = [each for clip, each in zip(*unseen, strict=True) if clip.label == "neg_speech"]
    counted = sum(int((each[alarm_places(each, hop_seconds=HOP_SECONDS)] >= start).sum()) for each in speech)
    assert found.alarms == worth.alarms + counted and counted > 0
    assert found.hours == pytest.approx(worth.hours + 20 * (79 * HOP_SECONDS + 0.975) / 3600, abs=1e-4)
    assert (found.heard, found.of) == (sum(bool(each.max() >= start) for clip, each in zip(
        (*train[0], *unseen[0]), (*train[1], *unseen[1]), strict=True) if clip.label == "whistle"), 20)
    other = (train[0], [each + np.float32(0.5) for each in train[1]])
    with pytest.raises(SystemExit, match=r"--left-out: found peaks of whistle that lie 0\.50 from those"):
        alarms.judged(model, label, entry, other, unseen)
