"""What `teach` says of targets that hear the sound already: as they serve, not as the model came."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import load_model, model_folder
from edge.learn.embedding import Embedder
from edge.learn.teach import Recording, gather
from edge.model.calibration import Calibration
from edge.model.calibration_file import load_calibration, own_path, save_calibration, shipped_path
from edge.settings import Settings, TargetSettings
from edge.sources.recording import open_recording
from edge.workshop.lessons import as_served
from edge.workshop.recordings import samples_of
from edge.workshop.teach import hears

pytestmark = pytest.mark.big

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"


def test_a_target_hears_a_sound_at_the_threshold_that_serves(tmp_path: Path) -> None:
    """Where a calibration had raised the threshold out of reach, `teach` still said that the target hears the sound."""
    model, folder = load_model("starter"), model_folder("starter", tmp_path)
    with open_recording(DEMO / "siren.wav") as source:
        sirens = np.concatenate(list(samples_of(source.blocks())))
    embedder = Embedder(model)
    gathered = gather(embedder, [Recording(f"part {part}", sirens[part * len(sirens) // 5: (part + 1) * len(sirens) // 5])
                                 for part in range(5)])
    settings = Settings(target=(TargetSettings(name="siren"),))

    def found(asked: Settings = settings) -> list[str]:
        served, targets = as_served(asked, tmp_path)
        return hears(served, targets, embedder, gathered)

    assert found() == ["siren"]
    shipped = load_calibration(shipped_path(folder, "LiteRT"), model.manifest)
    assert isinstance(shipped, Calibration)
    entry = replace(shipped.targets["siren"], threshold=0.9999, made="room")
    save_calibration(own_path(tmp_path, "starter"), replace(shipped, targets={"siren": entry}))
    assert found() == []
    assert found(Settings(target=(TargetSettings(name="siren", threshold=0.1),))) == ["siren"]
