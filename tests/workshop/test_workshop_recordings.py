"""Recordings cut out of a running microphone, with a fan that comes on after the start."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from edge.errors import SourceError
from edge.learn.recorder import Recorder
from edge.sources.recording import open_recording
from edge.workshop import hearing
from edge.workshop.recordings import ENDLESS, record, samples_of
from tests.fakes import FakeSource, blocks_of

RATE = 16_000


def heard_in(samples: np.ndarray, count: int) -> tuple[list[np.ndarray], list[tuple[str, str]]]:
    """The recordings that a stream gives, up to its end, and what was said of what cannot be used."""
    told: list[tuple[str, str]] = []

    def heard(recorder: Recorder, done: int, problem: tuple[str, str] | None) -> None:
        if problem is not None:
            told.append(problem)

    return [one.samples for one in record(FakeSource(blocks_of(samples.astype(np.int16))), count, heard=heard)], told


def test_a_fan_that_comes_on_is_not_learnt() -> None:
    """Twelve recordings of ten seconds of fan were accepted as the sound."""
    random = np.random.default_rng(1)
    samples = random.normal(0.0, 30.0, 60 * RATE)
    samples[3 * RATE:] += random.normal(0.0, 600.0, 57 * RATE)
    claps = [20 + 4 * number for number in range(6)]
    for second in claps:
        samples[second * RATE: second * RATE + 2400] += random.normal(0.0, 9000.0, 2400)
    found, told = heard_in(np.clip(samples, -32768, 32767), 6)
    assert told == [ENDLESS]
    for one in found:
        assert np.abs(one.astype(int)).max() > 15_000 and len(one) < 3 * RATE


def test_a_fan_alone_gives_nothing_and_says_so() -> None:
    random = np.random.default_rng(1)
    samples = random.normal(0.0, 30.0, 40 * RATE)
    samples[3 * RATE:] += random.normal(0.0, 600.0, 37 * RATE)
    with pytest.raises(SourceError, match="its end after 0 recordings"):
        heard_in(samples, 1)


def test_recorded_sounds_are_cut_out_of_a_recorded_fan(shared: Path) -> None:
    def read(path: Path) -> np.ndarray:
        with open_recording(path) as source:
            return np.concatenate(list(samples_of(source.blocks()))).astype(np.float64)

    fan = read(shared / "data" / "train" / "neg_appliance" / "Tonejs-audio__fan_1.ogg")
    fan = np.tile(fan[2 * RATE: 23 * RATE], 3)
    fan *= 500.0 / np.sqrt(np.mean(fan * fan))
    samples = np.random.default_rng(1).normal(0.0, 20.0, len(fan) + 3 * RATE)
    samples[3 * RATE:] += fan
    places = [(18 + 6 * number) * RATE for number in range(7)]
    for place, path in zip(places, sorted((shared / "data" / "eval" / "keys_drop").iterdir()), strict=False):
        keys = read(path)[: 3 * RATE]
        samples[place: place + len(keys)] += keys * (14_000.0 / np.abs(keys).max())
    found, told = heard_in(np.clip(samples, -32768, 32767), 5)
    assert told == [ENDLESS]
    assert all(np.abs(one.astype(int)).max() > 8_000 and len(one) < 6 * RATE for one in found)


def test_a_microphone_that_gives_nothing_is_an_error_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there was none, `teach --microphone` waited for ever."""
    monkeypatch.setattr(hearing, "PATIENCE_SECONDS", 0.05)
    source = FakeSource([lambda: time.sleep(0.01), None] * 10_000)
    source.state = "microphone: none at all"
    with pytest.raises(SourceError, match=r"found no sound for .* none at all"):
        record(source, 5, heard=lambda *_: None)
    assert source.closed
