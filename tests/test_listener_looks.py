"""The loop with a look network of known weights: what it names, when, and that blocks of any size give the same events."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil, inf
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.control.changes import Change, Control
from edge.control.loading import open_looks
from edge.listener import Listener
from edge.settings import GateSettings, TargetSettings
from edge.stream import SAMPLE_RATE, Block, Event, StreamFormat
from tests.fakes import FakeSink, FakeSource, LoudnessModel, blocks_of, listener_of
from tests.look_network import write_network

CLAP = TargetSettings(name="hand_clap")
KNOCK = TargetSettings(name="door_knock")
SNAP = TargetSettings(name="finger_snap")


class LookingModel(LoudnessModel):
    """The loudness model with the network beside it."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        manifest = write_network(folder)
        self.looks = open_looks(folder, manifest)
        self.offers = manifest.offers()


@pytest.fixture
def model(tmp_path: Path) -> LookingModel:
    return LookingModel(tmp_path / "impulse")


def room(seconds: float, seed: int = 0) -> NDArray[np.float64]:
    """Noise. Where it begins is an onset too, which `sounds` leaves out."""
    return np.random.default_rng(seed).normal(0.0, 30.0, round(seconds * SAMPLE_RATE))


def sounds(sink: FakeSink) -> list[Event]:
    """Events of what lies in the room, not of its beginning."""
    return [each for each in sink.events if each.start > 1600]


def burst(sound: NDArray[np.float64], at: float, *, bright: bool = True, decay: float = 0.02, loud: float = 9000.0) -> None:
    """Add noise that dies away: bright (differentiated) or dark (averaged over 16 samples)."""
    rng = np.random.default_rng(round(at * 1000))
    noise = rng.normal(0.0, 1.0, 8000)
    noise = np.diff(noise, prepend=0.0) if bright else np.convolve(noise, np.ones(16) / 4.0, "same")
    start = round(at * SAMPLE_RATE)
    sound[start: start + 8000] += loud * noise[: len(sound) - start] * np.exp(-np.arange(min(8000, len(sound) - start))
                                                                             / SAMPLE_RATE / decay)


def int16(sound: NDArray[np.float64]) -> NDArray[np.int16]:
    return np.clip(np.rint(sound), -32768, 32767).astype(np.int16)


def made() -> NDArray[np.int16]:
    """Claps at 1.0, 1.2, 3.0 and 4.9 s, a knock at 2.0."""
    sound = room(5.2)
    for at in (1.0, 1.2, 3.0, 4.9):
        burst(sound, at)
    burst(sound, 2.0, bright=False)
    return int16(sound)


def heard(model: LookingModel, blocks: list[Block], targets: tuple[TargetSettings, ...] = (CLAP, KNOCK), *,
          live: bool = False, **options: object) -> tuple[list[tuple[str, str, float]], Listener]:
    sink = FakeSink()
    listener = listener_of(model, targets, **options)  # type: ignore[arg-type]
    listener.run(FakeSource(blocks, live=live), [sink])
    return [(each.phase, each.target, round(each.start / SAMPLE_RATE, 2)) for each in sounds(sink)], listener


def test_looks_name_claps_and_knocks_whatever_the_model(model: LookingModel) -> None:
    found, listener = heard(model, blocks_of(made()))
    assert [each for each in found if each[0] == "start"] == [
        ("start", "hand_clap", 1.0), ("start", "hand_clap", 1.2), ("start", "door_knock", 2.0), ("start", "hand_clap", 3.0),
        ("start", "hand_clap", 4.9)]
    assert len(found) == 10 and listener.stats.looks >= 10 and listener.stats.looks_left_out == 0


@pytest.mark.parametrize("hop", [0.08, 0.24, 0.5])
@pytest.mark.parametrize("block", [160, 1_111, 8_000, 83_200])
def test_neither_block_nor_gate_changes_what_looks_name(model: LookingModel, block: int, hop: float) -> None:
    def events(size: int, **options: object) -> list[tuple[object, ...]]:
        sink = FakeSink()
        listener_of(model, (CLAP, KNOCK), hop_seconds=hop, **options).run(  # type: ignore[arg-type]
            FakeSource(blocks_of(made(), block=size)), [sink])
        return [(each.phase, each.target, each.start, each.end, each.probability, each.score) for each in sounds(sink)]

    expected = events(1600)
    assert events(block) == expected and events(block, gate=GateSettings()) == expected and len(expected) == 10


def test_the_event_is_there_a_quarter_of_a_second_after_its_onset(model: LookingModel) -> None:
    after: list[float] = []
    heard_samples = 0
    sink = FakeSink()

    def note(block: Block) -> Block:
        nonlocal heard_samples
        heard_samples = block.position + block.length
        return block

    class Timed(FakeSource):
        def blocks(self):  # type: ignore[no-untyped-def]
            for block in super().blocks():
                yield note(block)

    def keep(event: Event) -> None:
        if event.phase == "start" and event.start > 1600:
            after.append((heard_samples - event.start) / SAMPLE_RATE)

    sink.event = keep  # type: ignore[method-assign]
    sound = room(60.0)
    for number in range(28):
        burst(sound, 2.0 + 2.017 * number)
    listener_of(model, (CLAP,)).run(Timed(blocks_of(int16(sound))), [sink])
    assert len(after) == 28
    assert float(np.median(after)) < 0.25 and max(after) < 0.30


def test_a_source_need_not_hurry_for_a_look_while_muted(model: LookingModel) -> None:
    sound, control = room(4.0), Control()
    burst(sound, 2.0)
    blocks = blocks_of(int16(sound))
    source = FakeSource([*blocks[:22], lambda: control.put(Change(muted=True)), *blocks[22:]], live=True)
    listener_of(model, (CLAP,), control=control).run(source, [FakeSink()])
    assert 0.0 <= min(source.hurries[18:22]) < 0.16 and set(source.hurries[22:]) == {inf}


class Heeding(FakeSource):
    """A live source whose blocks are 0.1 s long, or as short as the listener wants, to 10 ms."""

    def __init__(self, sound: NDArray[np.int16]) -> None:
        super().__init__([], live=True)
        self.sound, self.heard, self.blocks_given = sound, 0, 0

    def blocks(self) -> Iterator[Block]:
        while self.heard < len(self.sound):
            wanted = self.hurries[-1] if self.hurries else inf
            length = 1600 if wanted > 0.1 else 160 * max(ceil(wanted * 100), 1)
            samples = self.sound[self.heard:self.heard + length]
            self.heard += len(samples)
            self.blocks_given += 1
            yield Block(samples, self.heard - len(samples), StreamFormat(SAMPLE_RATE, 1))


def test_with_a_source_that_hurries_the_event_comes_with_the_look(model: LookingModel) -> None:
    sound = room(60.0)
    for number in range(28):
        burst(sound, 2.0 + 2.017 * number)
    source, sink, after = Heeding(int16(sound)), FakeSink(), []
    sink.event = lambda event: after.append(  # type: ignore[method-assign]
        (source.heard - event.start) / SAMPLE_RATE) if event.phase == "start" and event.start > 1600 else None
    listener_of(model, (CLAP,)).run(source, [sink])
    assert len(after) == 28
    assert float(np.median(after)) < 0.15 and max(after) < 0.2  # 0.13 s, and what its last row needs
    assert source.blocks_given < 600 + 4 * 28


def test_a_gap_is_looked_at_up_to_its_edge_whatever_the_blocks(model: LookingModel) -> None:
    """0.25 s after the clap samples are lost: enough for a first look, whether rows had been made of them or not."""
    sound = made()[: round(1.25 * SAMPLE_RATE)]
    for block in (160, 777, 20_000):
        lost = [*blocks_of(sound, block=block), *blocks_of(int16(room(2.0)), position=40_000, gap=True)]
        starts = [each for each in heard(model, lost, live=True)[0] if each[0] == "start" and each[2] < 1.1]
        assert starts == [("start", "hand_clap", 1.0)]


def test_a_target_with_labels_of_its_own_is_the_models(model: LookingModel) -> None:
    own = TargetSettings(name="hand_clap", labels=("loud",), sound="impulsive", threshold=0.999)
    found, listener = heard(model, blocks_of(made()), (own,))
    assert not listener.targets.sounds[0].looked and listener.stats.looks == 0 and found == []


def test_a_lasting_sound_that_only_looks_know_is_refused(model: LookingModel) -> None:
    with pytest.raises(ValueError, match="hand_clap labels: found none"):
        heard(model, [], (TargetSettings(name="hand_clap", sound="lasting"),))


def test_an_event_holds_what_its_look_said(model: LookingModel) -> None:
    sink = FakeSink()
    listener_of(model, (CLAP, KNOCK)).run(FakeSource(blocks_of(made())), [sink])
    assert len(sounds(sink)) == 10
    for event in sounds(sink):
        assert event.peak is not None and event.peak.network == model.looks.sha256
        assert event.peak.embedding is not None and len(event.peak.values) == 4


def test_a_live_source_that_ends_is_looked_at_to_its_end(model: LookingModel) -> None:
    """The newest rows were heard twice at a live source's end, and the look that waited found its rows forgotten."""
    sound = made()[: round(3.25 * SAMPLE_RATE)]
    found, _ = heard(model, blocks_of(sound), live=True)
    assert [each for each in found if each[0] == "start"][-1] == ("start", "hand_clap", 3.0)
