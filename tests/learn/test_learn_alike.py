"""Which recordings of a sound sound alike."""

from __future__ import annotations

import numpy as np

from edge.learn.alike import ALIKE, groups

COLUMNS = 64


def spread(place: np.ndarray, clips: int, noise: float, seed: int) -> np.ndarray:
    """Three embeddings of each recording, around places of their own beside `place`."""
    random = np.random.default_rng(seed)
    own = place + random.normal(0.0, noise, (clips, COLUMNS))
    return (np.repeat(own, 3, axis=0) + random.normal(0.0, 0.05, (3 * clips, COLUMNS))).astype(np.float32)


def test_recordings_of_one_place_are_one_group_and_others_are_not() -> None:
    random = np.random.default_rng(1)
    others = random.normal(2.0, 1.0, (500, COLUMNS)).astype(np.float32)
    first, second = 2.0 + random.normal(0.0, 1.0, (2, COLUMNS))
    embeddings = np.concatenate((spread(first, 3, 0.2, 2), spread(second, 2, 0.2, 3), spread(first, 1, 0.2, 4)))
    clip = np.repeat(np.arange(6), 3)
    assert groups(embeddings, clip, others).tolist() == [0, 0, 0, 1, 1, 0]
    shuffled = np.random.default_rng(5).permutation(len(clip))
    assert groups(embeddings[shuffled], clip[shuffled], others).tolist() == [0, 0, 0, 1, 1, 0]


def test_recordings_that_differ_are_groups_of_their_own() -> None:
    random = np.random.default_rng(6)
    embeddings = random.normal(0.0, 1.0, (5, COLUMNS)).astype(np.float32)
    assert groups(embeddings, np.arange(5), np.zeros((1, COLUMNS), np.float32)).tolist() == [0, 1, 2, 3, 4]


def test_a_chain_of_recordings_is_one_group() -> None:
    angle = np.arccos(ALIKE) * 0.9
    turned = np.stack([[np.cos(number * angle), np.sin(number * angle)] for number in range(3)]).astype(np.float32)
    assert turned[0] @ turned[2] < ALIKE
    assert groups(turned, np.arange(3), np.zeros((2, 2), np.float32)).tolist() == [0, 0, 0]
