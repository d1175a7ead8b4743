"""A sound that looks were taught, fitted again by what was said of its events."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.control.loading import impulse_folder
from edge.learn.look_bank import LookBank, load_labelled, load_look_bank
from edge.learn.look_examples import Onsets
from edge.learn.look_teach import heard, learn_again, learn_from_onsets, look_negatives, pair_of
from edge.model.impulse import load_impulse_manifest
from edge.model.taught import Judgement
from edge.model.taught_look import TaughtLook

MANIFEST = load_impulse_manifest(impulse_folder())
SPEC = MANIFEST.network.output


@pytest.fixture(scope="module")
def bank() -> LookBank:
    return load_look_bank(impulse_folder(), MANIFEST)


@pytest.fixture(scope="module")
def taught(bank: LookBank) -> TaughtLook:
    """A knock, taught from six of the network's own."""
    cells = SPEC.to_cells(load_labelled(impulse_folder(), MANIFEST, "door_knock")[:6]).astype(np.int8)
    onsets = Onsets(cells, np.arange(6, dtype=np.uint8), np.zeros(6, np.uint8), 6)
    return learn_from_onsets("thump", onsets, look_negatives(bank, (), SPEC, name="thump", adds=False), SPEC, own=None,
                             network=MANIFEST.network.sha256, look_version=1, alarms_per_hour=20.0, taught_at="now")[0]


def judgement(pair: np.ndarray, *, right: bool, looks: int = 2) -> Judgement:
    cells = SPEC.to_cells(pair).astype(np.int8)
    return Judgement("event", "thump", right, cells[0], "now", tuple(cells[1:looks]), ("thump",), MANIFEST.network.sha256)


def test_wrong_events_fall_silent_and_the_recordings_stay_what_is_kept(bank: LookBank, taught: TaughtLook) -> None:
    negatives = look_negatives(bank, (), SPEC, name="thump", adds=False)
    knocks = load_labelled(impulse_folder(), MANIFEST, "door_knock")[6:]
    wrong = [one for one in (judgement(pair, right=False, looks=1 + number % 2) for number, pair in enumerate(knocks))
             if heard(taught, one, SPEC)][:3]
    assert len(wrong) == 3
    again, lesson = learn_again(taught, negatives, SPEC, wrong)
    assert not any(heard(again, one, SPEC) for one in wrong)
    assert (again.cells == taught.cells).all() and (again.clip == taught.clip).all() and lesson.clips == 6
    nothing, _ = learn_again(taught, negatives, SPEC, [])
    np.testing.assert_allclose(nothing.row, taught.row)


def test_right_events_are_further_recordings(bank: LookBank, taught: TaughtLook) -> None:
    negatives = look_negatives(bank, (), SPEC, name="thump", adds=False)
    knocks = load_labelled(impulse_folder(), MANIFEST, "door_knock")[6:200]
    missed = [one for one in (judgement(pair, right=True) for pair in knocks) if not heard(taught, one, SPEC)][:4]
    again, lesson = learn_again(taught, negatives, SPEC, missed)
    assert lesson.clips == 10 and sum(heard(again, one, SPEC) for one in missed) >= 2
    assert len(again.cells) == len(taught.cells)
    many = [replace(missed[0], event=str(number)) for number in range(260)]
    assert learn_again(taught, negatives, SPEC, many)[1].clips == 256, "as many as the numbers of recordings can count"


def test_an_event_of_one_look_counts_as_both() -> None:
    pair = np.zeros((2, SPEC.size), np.float32)
    assert (pair_of(judgement(pair, right=True, looks=1)) == pair_of(judgement(pair, right=True))).all()
