"""Feedback on a target that looks decide: what counts as heard, what wrong ones take, and what that costs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from look_network import write_network

from edge.control.loading import impulse_folder, open_looks
from edge.decision.calibration import heard_beside, heard_in_look
from edge.decision.resolve import resolve_targets
from edge.decision.targets import Correction, Target
from edge.errors import ModelError
from edge.learn import look_feedback
from edge.learn.feedback import Corrected
from edge.learn.look_bank import load_labelled, load_look_bank
from edge.learn.look_feedback import Event, LookFit
from edge.model.head import against_the_others, logistic
from edge.model.impulse import load_impulse_manifest
from edge.model.manifest import FileSpec, file_sha256
from edge.settings import TargetSettings
from edge.stream import Scores

pytest.importorskip("ai_edge_litert.schema_py_generated", reason="the tests write a network with its schema")
FOLDER = impulse_folder()
MANIFEST = load_impulse_manifest(FOLDER)
NETWORK = open_looks(FOLDER, MANIFEST)
BANK = load_look_bank(FOLDER, MANIFEST)
STARTER = MANIFEST.besides[0].backbone


def clap(**changes: object) -> Target:
    """The clap as the appliance resolves it, beside the starter's patches."""
    sounds = resolve_targets([TargetSettings(name="hand_clap")], ("hand_clap",), (), offers=MANIFEST.offers(STARTER)).sounds
    return replace(sounds[0], patch_rows=(0,), beside=MANIFEST.offers(STARTER)[0].beside, **changes)  # type: ignore[arg-type]


CLAP = clap()
FIT = LookFit(CLAP, NETWORK)
OWN = load_labelled(FOLDER, MANIFEST, "hand_clap")


def said(embedding: np.ndarray) -> Scores:
    logits = against_the_others(NETWORK.head.logits(embedding))
    return Scores(0, logistic(logits), logits, embedding, network=NETWORK.sha256)


def highest(target: Target, embedding: np.ndarray, patch: float) -> float:
    """The surest that a look can be of a target, at either stage or beside a patch of this logit."""
    look = said(embedding)
    beside = heard_beside(target, NETWORK.labels, look, [patch])
    ways = [heard_in_look(target, NETWORK.labels, stage, look) for stage in (0, 1)]
    return max(one.probability for one in (*ways, *([beside] if beside else [])))


def unlike(count: int) -> np.ndarray:
    """Second looks of the bank at what is no clap, those that come nearest to one."""
    others = BANK.embeddings[~np.isin(BANK.labels, ["hand_clap"]) & np.isin(BANK.names, ["neg_music", "neg_drum"])][:, 1]
    logits = against_the_others(others @ NETWORK.head.weights.T + NETWORK.head.bias)[:, CLAP.rows[0]]
    return np.asarray(others[np.argsort(-logits)[:count]], np.float32)


def test_looks_that_ship_are_of_each_target() -> None:
    for target in MANIFEST.targets:
        looks = load_labelled(FOLDER, MANIFEST, target.name)
        assert looks.shape == (300, 2, 128) and looks.dtype == np.float32
        row = MANIFEST.labels.index(target.name)
        named = against_the_others(looks[:, 1] @ NETWORK.head.weights.T + NETWORK.head.bias).argmax(axis=1) == row
        assert named.mean() > 0.6, target.name
    assert len(load_labelled(FOLDER, MANIFEST, "glass_break")) == 0


@pytest.mark.parametrize(("changes", "found"), [
    ({"network_sha256": np.array("c" * 64)}, "embeddings of look network cccccccccccc; wanted"),
    ({"cells": np.zeros((2, 3), np.int8)}, r"cells int8 \[2, 3\] of 2 sounds; wanted cells int8 \(n, 2, 3\)"),
    ({"cells": np.zeros((2, 2, 3), np.float32)}, "cells float32"),
    ({"label_index": np.array([0, 7], np.uint16)}, "no looks")])
def test_looks_that_do_not_fit_are_refused(tmp_path: Path, changes: dict[str, np.ndarray], found: str) -> None:
    pytest.importorskip("flatbuffers", reason="the network of this test is written with LiteRT's schema")
    manifest, path = write_network(tmp_path), tmp_path / "labelled.npz"
    arrays = {"cells": np.arange(12, dtype=np.int8).reshape(2, 2, 3), "scale": np.float32(0.5), "zero_point": np.int32(-1),
              "labels": np.array(["hand_clap", "door_knock"]), "label_index": np.array([1, 0], np.uint16),
              "network_sha256": np.array(manifest.network.sha256)}
    with pytest.raises(ModelError, match="labelled: found none; wanted some"):
        load_labelled(tmp_path, manifest, "hand_clap")
    np.savez(path, **arrays)
    right = replace(manifest, labelled=FileSpec(path.name, file_sha256(path), path.stat().st_size))
    assert load_labelled(tmp_path, right, "door_knock").tolist() == [[[0.5, 1.0, 1.5], [2.0, 2.5, 3.0]]]
    np.savez(path, **(arrays | changes))
    with pytest.raises(ModelError, match=found):
        load_labelled(tmp_path, replace(right, labelled=FileSpec(path.name, file_sha256(path), path.stat().st_size)), "x")


def test_what_the_fit_takes_for_heard_is_what_the_appliance_hears() -> None:
    """The bank's sounds count as beside a patch in two minds, whose logit is 0."""
    bank = FIT.bank(BANK, OWN)
    assert len(bank.power) > 2 * len(OWN) and (bank.power[2 * len(OWN):] < 0.0).all(), "others heard need not be kept"
    for place in range(0, 2 * len(OWN), 40):
        look = said(bank.embeddings[place])
        beside = heard_beside(CLAP, NETWORK.labels, look, [0.0])
        alone = heard_in_look(CLAP, NETWORK.labels, place % 2, look)
        assert beside is not None
        assert (max(alone.probability, beside.probability) >= CLAP.threshold) == (bank.power[place] >= 0.0)


def corrected(target: Target, found: Corrected) -> Target:
    slope = LookFit(target, NETWORK).slope
    return replace(target, correction=Correction(found.rows / slope, found.bias / slope))


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_wrong_event_is_silenced_beside_the_patch_that_named_it(scale: float) -> None:
    """Looks alone were far from sure; with the patch's logit of 4 the event came to `bare`."""
    target = clap(scale=scale)
    fit = LookFit(target, NETWORK)
    embedding, patch = unlike(20)[19], 4.0
    beside = heard_beside(target, NETWORK.labels, said(embedding), [patch])
    assert beside is not None and beside.bare is not None and beside.probability >= target.threshold
    assert highest(replace(target, beside=None), embedding, patch) < target.threshold
    bank = fit.bank(BANK, OWN)
    found = fit.correct(bank, [Event(False, embedding[None], (beside.bare,))])
    assert found.silenced == 1 and highest(corrected(target, found), embedding, patch) < target.threshold
    blind = fit.correct(bank, [Event(False, embedding[None])])
    assert highest(corrected(target, blind), embedding, patch) >= target.threshold, "without it nothing seems to be wrong"


def test_vetoes_cost_few_claps_and_the_limits_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    bank, wrong = FIT.bank(BANK, OWN), [Event(False, one[None], (2.0,)) for one in unlike(3)]
    found = FIT.correct(bank, wrong)
    assert found.silenced == 3 and found.present > 300 and found.present - found.kept <= 0.03 * found.present
    after = corrected(CLAP, found)
    lost = [highest(CLAP, one, 0.0) >= CLAP.threshold > highest(after, one, 0.0) for one in OWN[:, 1]]
    assert np.mean(lost) <= 0.03
    monkeypatch.setattr(look_feedback, "MOST_LOST", (0.0,))
    dear = FIT.correct(bank, wrong)
    monkeypatch.setattr(look_feedback, "MOST_LOST", (0.0, 0.5))
    assert FIT.correct(bank, wrong).silenced >= dear.silenced and dear.kept == dear.present


def raised(found: Corrected) -> float:
    """Share of the bank's looks that no clap made and that are taken for one now."""
    after, others = corrected(CLAP, found), BANK.embeddings[BANK.labels == ""][::20, 1]
    return float(np.mean([highest(after, one, -9.0) >= CLAP.threshold > highest(CLAP, one, -9.0) for one in others]))


def test_a_right_one_that_was_missed_is_raised_and_nothing_of_the_bank_is() -> None:
    bank, looks = FIT.bank(BANK, OWN), OWN[:, 1]
    power = np.array([highest(CLAP, one, -9.0) for one in looks])
    missed = looks[np.argsort(np.abs(power - 0.3))[:5]]  # claps that came half as far as they should
    found = [FIT.correct(bank, [Event(True, one[None])]) for one in missed]
    assert sum(one.supported for one in found) >= 4 and max(raised(one) for one in found) < 0.01
    for one, look in zip(found, missed, strict=True):
        assert one.supported == (highest(corrected(CLAP, one), look, -9.0) >= CLAP.threshold)
    together = FIT.correct(bank, [Event(True, one[None]) for one in missed])
    assert together.right == 5 and together.supported >= 2 and raised(together) < 0.005


def test_a_right_one_in_the_midst_of_other_sounds_is_left() -> None:
    others = BANK.embeddings[BANK.labels == ""][:, 1]
    found = FIT.correct(FIT.bank(BANK, OWN), [Event(True, others.mean(axis=0)[None])])
    assert (found.supported, found.right) == (0, 1) and not found.rows.any()


def test_a_target_that_patches_decide_has_no_looks_to_judge() -> None:
    with pytest.raises(ValueError, match="hand_clap: patches decide it"):
        LookFit(clap(stages=None), NETWORK)
