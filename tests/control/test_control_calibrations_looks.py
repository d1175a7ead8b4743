"""Feedback on looks and on patches of one target: each serves where it decides, and what does not serve is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.control.loading import find_model, load_calibrations, load_model
from edge.model.taught import Taught, TaughtCorrection
from edge.model.taught_file import save_taught
from edge.settings import LogSettings, Settings, TargetSettings
from tests.fakes import FakeSource

LOOKED = Settings(target=(TargetSettings(name="hand_clap"),), log=LogSettings(events=""))
LOOK, PATCH = 128, 632
"""Values of an embedding of the look network's, and of the starter's."""
BY_PATCHES = replace(LOOKED, target=(TargetSettings(name="hand_clap", labels=("hand_clap",)),))


def corrections(state: Path, *, patches: bool, network: str) -> str:
    """Keep corrections: of patches, of looks of a network ("own": the one that serves). Returns the served one's digest."""
    found = find_model("starter", state)
    assert found.looks is not None
    empty, looks = Taught.nothing(found.manifest), found.looks
    digest = looks.network.sha256 if network == "own" else network
    of_patches = TaughtCorrection(np.ones((1, empty.columns), np.float32), np.ones(1, np.float32), ("hand_clap",))
    of_looks = TaughtCorrection(np.ones((1, looks.network.output.size), np.float32), np.ones(1, np.float32), ("hand_clap",),
                                digest)
    save_taught(state, replace(empty, corrections={"hand_clap": of_patches} if patches else {},
                               look_corrections={"hand_clap": of_looks} if network else {}))
    return looks.network.sha256


def served(state: Path, settings: Settings) -> tuple[int, tuple[str, ...]]:
    """How many values the correction of what serves takes, 0 for none, and what is said."""
    problems = load_calibrations(load_model(state_dir=state), settings, state).problems
    (sound,) = build(settings, state, source=FakeSource([])).listener.targets.sounds
    return 0 if sound.correction is None else sound.correction.weights.shape[1], problems


@pytest.mark.parametrize("settings", [LOOKED, BY_PATCHES])
def test_both_lie_beside_each_other_and_each_serves_where_it_decides(tmp_path: Path, settings: Settings) -> None:
    corrections(tmp_path, patches=True, network="own")
    assert served(tmp_path, settings) == (LOOK if settings is LOOKED else PATCH, ())


def test_feedback_of_before_looks_decided_is_said_and_serves_again_with_labels(tmp_path: Path) -> None:
    """Its rows take a patch's embedding, which a look has not."""
    digest = corrections(tmp_path, patches=True, network="")
    size, (problem,) = served(tmp_path, LOOKED)
    assert size == 0 and problem == (
        f"feedback on hand_clap: made for patches, here look network {digest[:12]} decides; not used "
        "(edge-audio teach --model starter --remove hand_clap)")
    assert served(tmp_path, BY_PATCHES) == (PATCH, ())


def test_feedback_on_looks_is_said_where_patches_decide(tmp_path: Path) -> None:
    digest = corrections(tmp_path, patches=False, network="own")
    (problem,) = served(tmp_path, BY_PATCHES)[1]
    assert problem.startswith(f"feedback on hand_clap: made for look network {digest[:12]}, here patches decide; not used")
    assert served(tmp_path, LOOKED) == (LOOK, ())


def test_after_an_update_of_the_look_network_its_feedback_is_set_aside_and_other_feedback_serves_on(tmp_path: Path) -> None:
    digest = corrections(tmp_path, patches=True, network="f" * 64)
    size, (problem,) = served(tmp_path, LOOKED)
    assert size == 0 and problem == (
        f"feedback on hand_clap: made for look network ffffffffffff, here look network {digest[:12]} decides; not used "
        "(edge-audio teach --model starter --remove hand_clap)")
    assert served(tmp_path, BY_PATCHES) == (PATCH, ())
