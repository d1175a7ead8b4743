"""Targets that looks were taught: added to the network's own, or of their own; at most one target takes an onset."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from decision_scripts import rows_with
from look_scripts import CLAP, SNAP, Ears, Platt, near

from edge.decision.calibration import heard_in_look
from edge.decision.lookout import FIRST, SECOND
from edge.decision.offer import Stage
from edge.decision.targets import Target, Targets
from edge.stream import SAMPLE_RATE, Scores


@dataclass(frozen=True)
class Added:
    row: int
    stages: tuple[Stage, Stage]


ADDED = replace(CLAP, added=Added(1, (Platt(), Platt(2.0, -1.0))))
"""A clap with an owner's row in the second place."""
LABELS = ("clap", "clap (taught)")


def said(own: float, added: float) -> Scores:
    logits = np.array([own, added], np.float32)
    return Scores(0, 1 / (1 + np.exp(-logits)), logits, network="made up")


@pytest.mark.parametrize(("own", "added", "stage", "label", "bare"), [
    (1.0, 0.5, FIRST, "clap", 1.0),
    (1.0, 3.0, FIRST, "clap (taught)", 3.0),
    (1.0, 0.9, SECOND, "clap", 1.0),
    (1.0, 1.5, SECOND, "clap (taught)", 2.0),
    (-9.0, -9.0, SECOND, "clap", -9.0),
])
def test_the_surer_row_of_a_look_decides(own: float, added: float, stage: int, label: str, bare: float) -> None:
    found = heard_in_look(ADDED, LABELS, stage, said(own, added))
    assert (found.label, found.bare) == (label, pytest.approx(bare))
    assert found.probability == pytest.approx(1 / (1 + np.exp(-bare)))


def test_a_calibration_is_of_both() -> None:
    found = heard_in_look(replace(ADDED, scale=2.0, offset=-1.0), LABELS, FIRST, said(0.0, 2.0))
    assert found.probability == pytest.approx(1 / (1 + np.exp(-3.0)))


def taken(*targets: Target, clap: float, snap: float) -> list[tuple[str, float]]:
    ears = Ears(Targets(targets), lambda seconds, stage: (clap, snap))
    ears.scored = lambda seconds: (0.1, 0.1)
    found = ears.hear(rows_with(4.0, [(2.0, 0.0)]))
    return [(each.target, each.start / SAMPLE_RATE) for each in found if each.phase == "start"]


def test_a_taught_target_takes_an_onset_before_one_that_is_surer() -> None:
    assert [name for name, _ in taken(CLAP, SNAP, clap=2.0, snap=3.0)] == ["snap"]
    own = taken(replace(CLAP, taught=True), SNAP, clap=2.0, snap=3.0)
    assert [name for name, _ in own] == ["clap"] and [at for _, at in own] == near(2.0)
    assert [name for name, _ in taken(replace(CLAP, taught=True), SNAP, clap=-1.0, snap=3.0)] == ["snap"]
