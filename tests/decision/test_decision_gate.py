"""The gate sleeps in a steady room, wakes for anything that rises over it, and stays awake for the hang-over."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.decision.gate import FLOOR_SECONDS, Gate
from edge.settings import GateSettings
from edge.stream import SAMPLE_RATE, Patch

HOP = 3_840
FRAMES = HOP // 160


def room(random: np.random.Generator) -> NDArray[np.float32]:
    """float32 (96, 64): log of Rayleigh magnitudes, as steady noise gives."""
    return np.log(random.rayleigh(0.02, (96, 64)) + 0.001).astype(np.float32)


def settle(gate: Gate, random: np.random.Generator, *, patches: int = 200, start: int = 0) -> list[bool]:
    return [gate.push(Patch(room(random), (start + number) * HOP)) for number in range(patches)]


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.fixture
def gate() -> Gate:
    return Gate(GateSettings(), hop_samples=HOP)


def test_it_is_open_until_the_room_is_known_and_shut_in_steady_noise(gate: Gate, random: np.random.Generator) -> None:
    opened = settle(gate, random, patches=400)
    known = round((FLOOR_SECONDS + 2.0) * SAMPLE_RATE / HOP) + 1
    assert all(opened[: round(FLOOR_SECONDS * SAMPLE_RATE / HOP)])
    assert np.mean(opened[known:]) < 0.02


def test_a_click_of_one_frame_opens_it_and_the_hang_over_keeps_it(gate: Gate, random: np.random.Generator) -> None:
    settle(gate, random)
    click = room(random)
    click[-3] += 1.2  # one frame, 10 dB
    assert gate.push(Patch(click, 200 * HOP))
    after = settle(gate, random, patches=20, start=201)
    assert all(after[: 2 * SAMPLE_RATE // HOP])
    assert not any(after[2 * SAMPLE_RATE // HOP + 1:])


def test_a_quiet_beep_in_one_band_opens_it(gate: Gate, random: np.random.Generator) -> None:
    settle(gate, random)
    beep = room(random)
    beep[-FRAMES:, 40] += 2.0  # 17 dB in one band of 64 moves the mean by 0.3 dB
    assert gate.push(Patch(beep, 200 * HOP))


def test_only_the_newest_hop_counts(gate: Gate, random: np.random.Generator) -> None:
    settle(gate, random)
    old = room(random)
    old[:-FRAMES] += 3.0
    assert not gate.push(Patch(old, 200 * HOP))


def test_all_of_a_first_patch_is_new(gate: Gate, random: np.random.Generator) -> None:
    settle(gate, random)
    old = room(random)
    old[:-FRAMES] += 3.0
    assert gate.push(Patch(old, 200 * HOP, first=True))


def test_every_patch_that_holds_the_sound_is_let_through(random: np.random.Generator) -> None:
    long = 5 * SAMPLE_RATE
    gate = Gate(GateSettings(), hop_samples=HOP, patch_samples=long)
    settle(gate, random)
    click = room(random)
    click[-3] += 1.2
    assert gate.push(Patch(click, 200 * HOP))
    assert all(settle(gate, random, patches=long // HOP, start=201))


def test_a_waveform_patch_is_judged_by_its_level(random: np.random.Generator) -> None:
    gate = Gate(GateSettings(), hop_samples=HOP)
    quiet = [gate.push(Patch(random.normal(0, 100, 15_600).astype(np.int16), n * HOP)) for n in range(200)]
    assert not any(quiet[100:])
    loud = random.normal(0, 100, 15_600)
    loud[-500:] *= 10
    assert gate.push(Patch(loud.astype(np.int16), 200 * HOP))
