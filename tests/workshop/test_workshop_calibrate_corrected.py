"""Calibrating hears the room as the appliance does: with what feedback taught."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.control.loading import load_model
from edge.model.taught import Taught, TaughtCorrection
from edge.model.taught_file import save_taught
from tests.cli.test_cli import write_wav

pytestmark = pytest.mark.big


def test_what_feedback_silenced_raises_no_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A false alarm that its owner had silenced once moved the threshold of the room that it sounds in."""
    knocks = np.random.default_rng(2).normal(0, 60, (40, 16_000))
    knocks[:, :3_200] *= 80.0 * np.exp(-np.arange(3_200) / 400)
    room = write_wav(tmp_path / "room.wav", knocks.ravel().astype(np.int16))
    words = ["calibrate", "--room", str(room), "--target", "siren", "--format", "json", "--dry-run",
             "--state-dir", str(tmp_path)]

    def highest() -> float:
        assert main(words) == 0
        return float(json.loads(capsys.readouterr().out)["targets"]["siren"]["highest_logit"])

    before, empty = highest(), Taught.nothing(load_model("starter").manifest)
    veto = TaughtCorrection(np.zeros((2, empty.columns), np.float32), np.array([0.0, 5.0], np.float32))
    save_taught(tmp_path, replace(empty, corrections={"siren": veto}))
    assert highest() == pytest.approx(before - 5.0, abs=0.002)
