"""Looks that are spared: at onsets that hardly rise, and after a first look that says clearly nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from decision_scripts import clap_target, rows_with, starts
from look_scripts import BOTH, Ears, Platt, always, heard, near

from edge.decision.calibration import NOTHING_LOGIT
from edge.decision.lookout import FIRST, LEAST_FLUX_DB, SECOND, Lookout, LookShape
from edge.decision.onset import Onset
from edge.decision.targets import Correction, Targets
from edge.features.look import AFTER, EARLY, HISTORY
from edge.stream import SAMPLE_RATE


@dataclass(frozen=True)
class Weights:
    look: float = 1.0
    patch: float = 2.0
    offset: float = 0.0


def test_a_first_look_that_says_clearly_nothing_is_the_only_one() -> None:
    under = NOTHING_LOGIT - 0.01
    for clap, snap, stages in ((under, under, [FIRST]), (under, NOTHING_LOGIT, [FIRST, SECOND])):
        ears = Ears(BOTH, always(clap, snap))
        assert ears.hear(rows_with(4.0, [(2.0, 0.0)])) == []
        assert [one.stage for one in ears.looks] == stages


def test_an_event_of_such_a_look_ends_as_any_other() -> None:
    """A threshold of 2 in a hundred lies under what counts as clearly nothing."""
    low = clap_target(stages=(Platt(), Platt()), threshold=0.02)
    found = heard(rows_with(4.0, [(2.0, 0.0)], decay=0.6), always(-3.7), Targets((low,)))
    assert [each.phase for each in found] == ["start", "end"]
    assert found[1].end is not None and found[1].end < 2.5 * SAMPLE_RATE


def test_a_calibration_changes_no_second_look() -> None:
    raised = clap_target(stages=(Platt(), Platt()), threshold=0.999, offset=5.0)
    ears = Ears(Targets((raised,)), always(NOTHING_LOGIT - 0.5))
    ears.hear(rows_with(4.0, [(2.0, 0.0)]))
    assert [one.stage for one in ears.looks] == [FIRST]


def test_an_onset_that_hardly_rises_is_not_looked_at_and_takes_no_others_place() -> None:
    lookout = Lookout(LookShape(EARLY, AFTER, HISTORY))
    onset = Onset(position=16_000, flux_db=LEAST_FLUX_DB, level_db=0.0, before_db=-20.0, echo=False)
    weak = [replace(onset, position=16_000 + 1_000 * number, flux_db=LEAST_FLUX_DB - 0.1) for number in range(12)]
    lookout.onsets([*weak, onset])
    assert lookout.waiting == [onset] and lookout.left_out == 0


def test_a_patch_may_still_name_such_an_onset_and_its_event_ends() -> None:
    beside = clap_target(stages=(Platt(), Platt()), threshold=0.5, beside=Weights(), patch_rows=(0,))
    ears = Ears(Targets((beside,)), always(NOTHING_LOGIT - 0.1))
    ears.scored = lambda seconds: (0.9, 0.1) if seconds <= 2.0 < seconds + 0.975 else (0.1, 0.1)
    found = ears.hear(rows_with(4.0, [(2.0, 0.0)], decay=0.6))
    assert starts(found) == near(2.0) and [each.phase for each in found] == ["start", "end"]
    assert [one.stage for one in ears.looks] == [FIRST]
    assert found[1].end is not None and found[1].end < 2.7 * SAMPLE_RATE


def test_a_correction_that_makes_a_sound_likelier_keeps_its_second_look_and_a_veto_takes_none() -> None:
    for support, stages in ((2.0, [FIRST, SECOND]), (-2.0, [FIRST])):
        weights, bias = np.zeros((2, 2), np.float32), np.array([max(support, 0.0), max(-support, 0.0)], np.float32)
        corrected = clap_target(stages=(Platt(), Platt()), threshold=0.9, correction=Correction(weights, bias))
        ears = Ears(Targets((corrected,)), always(NOTHING_LOGIT - 1.0))
        ears.embedded = lambda seconds, stage: (0.0, 0.0)
        ears.hear(rows_with(4.0, [(2.0, 0.0)]))
        assert [one.stage for one in ears.looks] == stages
