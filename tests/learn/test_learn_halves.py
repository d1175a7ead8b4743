"""What a calibration on half of the recordings says of itself, measured on the other half: other sources."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import load_model
from edge.learn.calibrate import Basis, parse_budget, peaks_of, threshold_logit
from edge.learn.figures import expected_calibration_error
from edge.learn.labelled import Sound, calibrate_labelled, fold_numbers
from edge.learn.labelled_clips import Clip, labelled_by_class
from edge.learn.probability import Curve, balanced
from edge.model.classifier import Split
from edge.model.manifest import ModelTarget
from edge.workshop.classify import classify

pytestmark = pytest.mark.big

HOP_SECONDS = 0.48
BESIDE = {"neg_speech", "neg_misc", "neg_notclap", "door_slam", "drawer", "page_turn", "phone_ring", "cough", "laughter"}
"""Classes without either target, from several sources, that are heard in a few seconds."""


@pytest.fixture(scope="module")
def heard(shared: Path) -> tuple[Split, list[tuple[Clip, np.ndarray]]]:
    model = load_model("starter")
    assert isinstance(model, Split)
    wanted = {"hand_clap", "keyboard_typing", *BESIDE}
    found = []
    for clip in labelled_by_class(shared / "data" / "manifest.csv", split="eval").clips:
        if clip.name in wanted:
            embeddings = classify(model, clip.path, hop_seconds=HOP_SECONDS, bands=False).embeddings
            assert embeddings is not None
            found.append((clip, embeddings @ model.head.weights.T + model.head.bias))
    return model, found


@pytest.mark.parametrize(("target", "held"), [("hand_clap", "hand_clap"), ("typing", "keyboard_typing")])
def test_it_holds_what_it_states_on_sources_that_it_never_heard(
        heard: tuple[Split, list[tuple[Clip, np.ndarray]]], target: str, held: str) -> None:
    model, clips = heard
    row = model.labels.index(target)
    offered: ModelTarget = next(one for one in model.targets if one.name == target)
    sounds = [Sound(logits[:, row], clip.name == held, clip.group) for clip, logits in clips]
    half = fold_numbers([sound.group for sound in sounds], np.array([sound.present for sound in sounds]), 2)
    errors = []
    for number in (0, 1):
        own = [sound for sound, fold in zip(sounds, half, strict=True) if fold == number]
        other = [sound for sound, fold in zip(sounds, half, strict=True) if fold != number]
        assert not {sound.group for sound in own} & {sound.group for sound in other}
        entry, worth = calibrate_labelled(own, Basis(offered.labels, "0" * 64, 0.0), parse_budget("1/day"),
                                          hop_seconds=HOP_SECONDS, patch_samples=model.patch_samples)
        highest = np.array([float(sound.logits.max()) for sound in other])
        present = np.array([sound.present for sound in other])
        logit = threshold_logit(entry)
        recall, (_, low, high) = float((highest[present] >= logit).mean()), worth.recall
        peaks = peaks_of([sound.logits for sound in other if not sound.present], hop_seconds=HOP_SECONDS,
                         patch_samples=model.patch_samples)
        alarms = sum(one >= logit for one in peaks.logits) / peaks.hours
        curve, weights = Curve(entry.scale, entry.scale_below, entry.offset), balanced(present)
        before, after = (expected_calibration_error(one.probabilities(highest), present, weights)
                         for one in (Curve(), curve))
        print(f"{target}: recall {recall:.2f} ({low:.2f} to {high:.2f} stated), false alarms an hour {alarms:.1f} "
              f"(at most {worth.upper:.1f}), calibration error {before:.3f} before, {after:.3f} after")
        assert low <= recall <= high
        assert alarms <= worth.upper
        assert after <= before, "equal where no curve was better than the bare score"
        errors.append((before, after))
    fitted = [(before, after) for before, after in errors if after != before]
    assert fitted or target == "hand_clap", "the starter's bare score of claps may be as good as half of the sources' curve"
    assert sum(after for _, after in fitted) <= 0.7 * sum(before for before, _ in fitted)
