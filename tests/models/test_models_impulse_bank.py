"""How the look network's bank chooses its onsets."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.control.loading import impulse_folder, open_looks
from edge.model.impulse import load_impulse_manifest
from models.impulse.bank import MOST_OF_A_CLIP, hardest, label_of, looked_at
from models.impulse.hands import LEAD, clap_by_formula

RATE = 16_000


def test_hard_are_onsets_of_no_label_and_a_clip_gives_few() -> None:
    names = np.array(["neg_speech"] * 40 + ["hand_clap"] * 40 + ["rain"] * 2)
    clip = np.repeat([0, 1, 2], [40, 40, 2])
    score = np.linspace(1.0, 0.0, len(names)).astype(np.float32)
    assert hardest(score, names, clip, 100).tolist() == [*range(MOST_OF_A_CLIP), 80, 81]
    assert hardest(score, names, clip, 3).tolist() == [0, 1, 2]


def test_classes_have_the_labels_that_the_network_learnt_them_by() -> None:
    assert [label_of(name) for name in ("applause", "mouse_click", "neg_speech")] == ["hand_clap", "tap", ""]


def test_each_onset_is_looked_at_twice_and_a_recordings_cut_is_no_onset() -> None:
    folder: Path = impulse_folder()
    network = open_looks(folder, load_impulse_manifest(folder))
    rng = np.random.default_rng(3)
    samples = rng.normal(0.0, 1e-3, 3 * RATE).astype(np.float32)
    clap = clap_by_formula(rng)
    samples[RATE - LEAD: RATE - LEAD + len(clap)] += clap * np.float32(0.5)
    whole, cut = (looked_at(network, samples, goes_on=goes_on) for goes_on in (False, True))
    assert whole.shape[1:] == cut.shape[1:] == (2, 128) and whole.dtype == np.int8
    assert len(whole) == len(cut) + 1, "noise begins with the recording"
    said = [int(network.head.logits(network.manifest.network.output.to_real(second)).argmax()) for second in cut[:, 1]]
    assert network.labels.index("hand_clap") in said
