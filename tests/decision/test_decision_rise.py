"""How much an onset rises counts beside what a look says, for targets whose network says so."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from decision_scripts import clap_target, rows_with, starts
from look_scripts import CLAP, LABELS, Ears, Platt, always, near

from edge.decision.calibration import MOST_RISE_DB, TYPICAL_RISE_DB, heard_beside, heard_in_look, logit_of
from edge.decision.resolve import resolve_targets
from edge.decision.targets import Target, Targets
from edge.model.look_offer import AddedRow, LookBeside, LookOffer, Stage
from edge.settings import TargetSettings
from edge.stream import Scores


@dataclass(frozen=True)
class Weights:
    look: float = 0.5
    patch: float = 1.0
    offset: float = -1.0


def said(*logits: float) -> Scores:
    values = np.array(logits, np.float32)
    return Scores(0, 1 / (1 + np.exp(-values)), values, network="made up")


def logits(target: Target, rise_db: float, look: Scores) -> tuple[float, ...]:
    beside = heard_beside(target, LABELS, look, [2.0], rise_db)
    assert beside is not None
    return (*(logit_of(heard_in_look(target, LABELS, stage, look, rise_db).probability) for stage in (0, 1)),
            logit_of(beside.probability))


RISING = replace(CLAP, rise=0.25, beside=Weights(), patch_rows=(0,), stages=(Platt(2.0, 1.0), Platt(1.0, 0.5)))


def test_each_db_over_a_typical_rise_adds_to_the_looks_logit_in_every_judgement() -> None:
    assert logits(RISING, TYPICAL_RISE_DB, said(1.0, -9.0)) == pytest.approx((3.0, 1.5, 1.5))
    assert logits(RISING, TYPICAL_RISE_DB + 4.0, said(1.0, -9.0)) == pytest.approx((5.0, 2.5, 2.0))
    assert logits(RISING, TYPICAL_RISE_DB - 8.0, said(1.0, -9.0)) == pytest.approx((-1.0, -0.5, 0.5))


def test_more_than_the_most_adds_no_more() -> None:
    assert logits(RISING, MOST_RISE_DB, said(-1.0, -9.0)) == logits(RISING, MOST_RISE_DB + 20.0, said(-1.0, -9.0))


def test_a_target_without_it_is_judged_by_looks_alone() -> None:
    plain = replace(RISING, rise=0.0)
    assert logits(plain, 5.0, said(1.0, -9.0)) == logits(plain, 40.0, said(1.0, -9.0))


def test_the_owners_examples_are_judged_without_the_rise() -> None:
    taught = replace(RISING, added=AddedRow(1, (Stage(1.0, 0.0), Stage(1.0, 0.0))))
    assert logits(taught, 5.0, said(-9.0, 2.0))[:2] == pytest.approx((2.0, 2.0))


def test_of_two_onsets_that_look_alike_the_one_that_rises_more_is_named() -> None:
    rising = clap_target(stages=(Platt(), Platt()), rise=0.25, threshold=0.5)
    ears = Ears(Targets((rising,)), always(-3.0))
    found = ears.hear(rows_with(6.0, [(2.0, -34.0), (4.0, 6.0)], decay=0.6))
    weak, strong = (next(one.onset for one in ears.looks if abs(one.onset.position / 16_000 - at) < 0.05) for at in (2, 4))
    assert 5.0 < weak.flux_db < 20.0 < 24.5 < strong.flux_db
    assert starts(found) == near(4.0)


def test_the_network_says_how_much_and_a_target_of_patches_has_none() -> None:
    offer = LookOffer("clap", 0, 0.5, (Stage(1.0, 0.0), Stage(1.0, 0.0)), LookBeside("ab", "clap", 1.0, 1.0, 0.0), "d",
                      rise=0.1)
    by_looks, by_patches = (
        resolve_targets([TargetSettings(name="clap", labels=own)], ("clap",), (), offers=[offer]).sounds[0]
        for own in ((), ("clap",)))
    assert by_looks.rise == 0.1 and by_patches.rise == 0.0
