"""What a refit says that it does is what the appliance then does, whatever curve the target's calibration has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge.control.commanded import Commanded, save_commanded
from edge.control.loading import load_calibrations, load_model, model_folder
from edge.decision.calibration import heard, logits_of
from edge.decision.resolve import resolve_targets
from edge.learn.embedding import Embedder
from edge.learn.teach import negatives_for
from edge.model.classifier import Split
from edge.model.head import logistic
from edge.settings import CommandSettings, Settings, TargetSettings
from edge.sinks.journal.entries import Entry
from edge.stream import Scores
from edge.workshop.feedback import judge
from edge.workshop.lessons import Lessons

pytestmark = pytest.mark.big


@pytest.mark.parametrize("target", ["baby_cry", "music", "dog_bark"])
def test_a_right_one_that_was_missed_does_not_raise_the_rest(target: str, tmp_path: Path) -> None:
    """Calibrated with beta's two slopes, one cry judged right made cries of hundreds of the bank's 6,000 sounds."""
    folder = model_folder("starter", tmp_path)
    lessons, model = Lessons("starter", folder, tmp_path), load_model("starter", state_dir=tmp_path)
    assert isinstance(model, Split) and model.manifest.backbone is not None
    settings, embedder = replace(Settings(), target=(TargetSettings(name=target),)), Embedder(model)
    bank = negatives_for(embedder, folder, lessons.manifest, tmp_path, lessons.taught, name=target)

    def over() -> np.ndarray:
        served = load_calibrations(model, settings, tmp_path)
        (sound,) = resolve_targets(settings.target, model.labels, model.targets, calibrations=served.serving,
                                   corrections=served.corrections).sounds
        logits = (bank.embeddings @ model.head.weights.T + model.head.bias).astype(np.float32)
        found = [Scores(0, logistic(own), own, embedding) for own, embedding in zip(logits, bank.embeddings, strict=True)]
        return np.array([heard(sound, model.labels, one, logits_of(one).tolist()).probability / sound.threshold
                         for one in found])

    before = over()
    own = np.isin(bank.names, [target, f"neg_{target}"])
    unheard = np.flatnonzero(own & (before < 0.9))
    missed = int(unheard[np.argsort(before[unheard])[len(unheard) // 2]])
    entry = Entry("019a-1", target, target, 0.5, 0.5, datetime.now(UTC), None, -30.0,
                  embedder.pack(bank.embeddings[missed: missed + 1])[0], backbone=model.manifest.backbone.sha256)
    judged = judge(lessons, settings, entry, right=True, target=target, judged_at="2026-11-26")
    lessons.save(judged.taught)
    after = over()
    assert judged.supported == 1 and after[missed] >= 1.0, "what was said of it holds"
    assert ((after >= 1.0) & (before < 1.0)).sum() <= 20 and (after[before >= 1.0] >= 1.0).all()


def test_a_wrong_one_is_silenced_at_the_threshold_that_was_commanded(tmp_path: Path) -> None:
    """Under the model's own threshold it was silent already, and nothing would have been learnt."""
    folder = model_folder("starter", tmp_path)
    lessons, model = Lessons("starter", folder, tmp_path), load_model("starter", state_dir=tmp_path)
    assert isinstance(model, Split) and model.manifest.backbone is not None
    settings = Settings(target=(TargetSettings(name="siren"),), command=CommandSettings(("threshold",)))
    save_commanded(tmp_path, Commanded().with_threshold("starter", "siren", 0.2))
    embedder = Embedder(model)
    bank = negatives_for(embedder, folder, lessons.manifest, tmp_path, lessons.taught, name="siren")

    def probability(embedding: np.ndarray) -> float:
        served = load_calibrations(model, settings, tmp_path)
        (sound,) = resolve_targets(settings.target, model.labels, model.targets, calibrations=served.serving,
                                   corrections=served.corrections).sounds
        assert sound.threshold > 0.5
        logits = (embedding @ model.head.weights.T + model.head.bias).astype(np.float32)
        one = Scores(0, logistic(logits), logits, embedding)
        return heard(sound, model.labels, one, logits.tolist()).probability

    others = np.flatnonzero(~np.isin(bank.names, ["siren", "neg_siren"]))
    wrong = next(int(place) for place in others if 0.3 < probability(bank.embeddings[place]) < 0.5)
    cells = embedder.pack(bank.embeddings[wrong: wrong + 1])
    entry = Entry("019a-1", "siren", "siren", 0.5, 0.5, datetime.now(UTC), None, -30.0, cells[0],
                  backbone=model.manifest.backbone.sha256)
    judged = judge(lessons, settings, entry, right=False, target="siren", judged_at="2026-11-26", force=True)
    lessons.save(judged.taught)
    assert judged.silenced == 1 and probability(embedder.embeddings(cells)[0]) < 0.2
