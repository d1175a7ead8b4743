"""What recordings give to the look network: the first onset of each sound, with the recording's own room before it."""

from __future__ import annotations

import numpy as np
import pytest

from edge.control.loading import impulse_folder, open_looks
from edge.learn.lesson import ALTERED, HEARD
from edge.learn.look_examples import NOISES_DB, LookEmbedder
from edge.learn.teach import Recording
from edge.model.impulse import load_impulse_manifest
from models.impulse.hands import LEAD, clap_by_formula

RATE = 16_000


@pytest.fixture(scope="module")
def embedder() -> LookEmbedder:
    network = open_looks(impulse_folder(), load_impulse_manifest(impulse_folder()))
    return LookEmbedder(network, network.manifest.network.output)


def recording(seconds: list[float], *, noise: float = 1e-3, seed: int = 1) -> np.ndarray:
    """Claps at these seconds of 3 s of noise, int16."""
    rng = np.random.default_rng(seed)
    samples = rng.normal(0.0, noise, 3 * RATE)
    for at in seconds:
        clap, start = clap_by_formula(np.random.default_rng(seed)), round(at * RATE) - LEAD
        samples[start: start + len(clap)] += 0.5 * clap[: len(samples) - start]
    return np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype(np.int16)


def test_each_sound_gives_two_looks_at_its_onset(embedder: LookEmbedder) -> None:
    found = embedder.gather([Recording("one", recording([1.0])), Recording("two", recording([0.8, 2.0]))])
    heard = found.kind == HEARD
    assert found.cells[heard].shape == (3, 2, 128) and found.cells.dtype == np.int8
    assert found.clip[heard].tolist() == [0, 1, 1] and found.clips == 2
    assert (found.cells[:, 0] != found.cells[:, 1]).any()


def test_recordings_are_heard_over_noise_too_and_the_same_ones_each_time(embedder: LookEmbedder) -> None:
    first, second = (embedder.gather([Recording("one", recording([1.0], noise=1e-5))]) for _ in range(2))
    assert first.kind.tolist() == [HEARD, *[ALTERED] * len(NOISES_DB)]
    assert np.array_equal(first.cells, second.cells)
    distances = np.linalg.norm((first.cells[1:] - first.cells[:1].astype(float)).reshape(len(NOISES_DB), -1), axis=1)
    assert distances[0] < distances[-1], "the louder the noise, the farther from the recording as it is"


def test_a_second_onset_of_the_same_sound_is_left_out(embedder: LookEmbedder) -> None:
    assert len(embedder.sounds(recording([1.0, 1.09]))[0]) == 1


def test_silence_gives_nothing(embedder: LookEmbedder) -> None:
    assert embedder.sounds(np.zeros(RATE, np.int16))[0].shape == (0, 2, 128)


def test_the_room_before_a_short_recording_is_taken_to_go_on(embedder: LookEmbedder) -> None:
    """With 0.1 s before the clap its looks are nearly those with a second before it; over silence they would not be."""
    whole = recording([1.0], noise=0.02)
    cut = whole[round(0.9 * RATE):]
    long, short, bare = (embedder.embeddings(embedder.sounds(each)[0])[0] for each in
                         (whole, cut, np.concatenate((np.zeros(RATE, np.int16), cut[round(0.09 * RATE):]))))
    assert np.linalg.norm(long - short) < 0.5 * np.linalg.norm(long - bare)
