"""What comes on the control queue changes how the listener hears: between two blocks, whole, and nothing is told twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from edge.control.calibrations import Calibrations
from edge.control.changes import LIMIT, Change, Control
from edge.control.loading import load_calibrations, load_model
from edge.control.plan import Plan, plan_for
from edge.model.classifier import Model
from edge.settings import Settings, SourceSettings, TargetSettings
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Block
from tests.fakes import FakeSink, FakeSource, LoudnessModel, blocks_of, listener_of, silence, tone

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
SOUND = np.concatenate([silence(2.0), tone(1.5), silence(3.0)])


def told(sink: FakeSink) -> list[tuple[str, str, int]]:
    return [(event.target, event.phase, event.start) for event in sink.events]


def test_the_queue_is_bounded_and_never_waits() -> None:
    control = Control()
    changes = [Change(muted=bool(number % 2)) for number in range(LIMIT + 5)]
    assert [control.put(change) for change in changes] == [True] * LIMIT + [False] * 5
    assert len(control) == LIMIT and control.take() == changes[:LIMIT] and control.take() == []
    assert control.put(changes[0])
    control.close()
    assert control.take() == [] and not control.put(changes[0]) and not changes[0].settled.is_set()


def test_a_change_can_be_withdrawn_until_it_is_taken() -> None:
    control, change = Control(), Change(muted=True)
    assert control.put(change) and control.withdraw(change) and not control.withdraw(change)
    assert control.put(change) and control.take() == [change] and not control.withdraw(change)
    control.put(change)
    control.close()
    assert control.withdraw(change), "the end left it behind"
    change.settled.set()
    assert not control.withdraw(change)


def test_many_threads_may_put() -> None:
    control = Control(limit=1000)
    threads = [threading.Thread(target=lambda: [control.put(Change(muted=True)) for _ in range(300)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(control.take()) == 1000


def test_muted_sound_is_thrown_away_and_running_events_end() -> None:
    model, sink, control = LoudnessModel(), FakeSink(), Control()
    change = Change(muted=True, taken=lambda: calls.append(model.patches[-1].position))
    calls: list[int] = []
    loud = blocks_of(tone(6.0))
    listener = listener_of(model, control=control)
    listener.run(FakeSource([*loud[:20], lambda: calls.append(control.put(change)), *loud[20:40]]), [sink])
    assert [event.phase for event in sink.events] == ["start", "end"]
    assert sink.events[1].end is not None and sink.events[1].end <= 2 * SAMPLE_RATE
    assert change.settled.is_set() and model.patches[-1].position == calls[-1], "nothing was scored after it"
    assert (listener.stats.blocks, listener.stats.muted_samples) == (20, 20 * 1600)
    assert sink.healths[-1]["level_dbfs"] is None


def test_after_unmute_it_is_heard_as_after_a_gap() -> None:
    model, sink, control = LoudnessModel(), FakeSink(), Control()
    blocks = blocks_of(np.concatenate([tone(6.0), silence(2.0)]))
    listener_of(model, control=control).run(FakeSource([
        *blocks[:20], lambda: control.put(Change(muted=True)), *blocks[20:40], lambda: control.put(Change(muted=False)),
        *blocks[40:]]), [sink])
    assert [event.phase for event in sink.events] == ["start", "end", "start", "end"]
    assert 4 * SAMPLE_RATE <= sink.events[2].start <= 4.2 * SAMPLE_RATE
    assert all(not 2 * SAMPLE_RATE - 15_600 < patch.position < 4 * SAMPLE_RATE for patch in model.patches)
    assert [patch.first for patch in model.patches if patch.position >= 4 * SAMPLE_RATE][:2] == [True, False]


def test_muted_and_unmuted_between_the_same_two_blocks_leaves_no_half_event() -> None:
    sink, control = FakeSink(), Control()
    blocks = blocks_of(tone(4.0))
    both = [Change(muted=True), Change(muted=False)]
    listener_of(LoudnessModel(), control=control).run(
        FakeSource([*blocks[:20], lambda: [control.put(change) for change in both], *blocks[20:]]), [sink])
    assert [event.phase for event in sink.events] == ["start", "end", "start", "end"]
    assert sink.events[2].start >= 2 * SAMPLE_RATE


def test_a_source_that_gives_nothing_still_takes_changes() -> None:
    control, change = Control(), Change(muted=True)
    seen: list[bool] = []
    source = FakeSource([None, lambda: control.put(change), None, lambda: seen.append(change.settled.is_set())], live=True)
    listener_of(LoudnessModel(), control=control).run(source)
    assert seen == [True]


def test_a_change_that_the_end_left_behind_is_not_said_to_be_in_force() -> None:
    control, late = Control(), Change(muted=True)
    listener_of(LoudnessModel(), control=control).run(FakeSource([*blocks_of(silence(1.0)), lambda: control.put(late)]))
    assert not late.settled.is_set() and not control.put(Change(muted=True))


def test_a_threshold_is_changed_between_two_blocks() -> None:
    sink, control, model = FakeSink(), Control(), LoudnessModel()
    blocks = blocks_of(np.concatenate([SOUND, SOUND, SOUND]))
    third = len(blocks) // 3
    plans = [plan_for(model, (), hop_seconds=0.24, thresholds={"loud": height}) for height in (0.99999999, 0.5)]
    listener = listener_of(model, control=control)
    listener.run(FakeSource([*blocks[:third], lambda: control.put(Change(plan=plans[0])), *blocks[third: 2 * third],
                             lambda: control.put(Change(plan=plans[1])), *blocks[2 * third:]]), [sink])
    starts = [event.start / SAMPLE_RATE for event in sink.events if event.phase == "start"]
    assert starts == pytest.approx([2.0, 15.0], abs=0.25)
    assert listener.targets is plans[1].targets


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model()


@pytest.fixture(scope="module")
def served(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Calibrations:
    return load_calibrations(model, Settings(), tmp_path_factory.mktemp("state"))


Hear = Callable[..., FakeSink]


@pytest.fixture(scope="module")
def hear(model: Model, served: Calibrations) -> Hear:
    """hear(recording, plan=None, at=0) -> what the starter tells, another plan being put in before that block."""
    def run(name: str, at: int | None = None, *targets: TargetSettings) -> FakeSink:
        sink, control = FakeSink(), Control()
        source = open_source(SourceSettings(kind="file", path=str(DEMO / name), paced=False), Stats())
        blocks: list[Block | Callable[[], object]] = [block for block in source.blocks() if block is not None]
        if at is not None:
            blocks.insert(at, lambda: control.put(Change(plan=plan(*targets))))
        listener_of(model, hop_seconds=0.24, calibrations=served.serving, control=control).run(
            FakeSource(blocks), [sink])  # type: ignore[arg-type]
        return sink

    def plan(*targets: TargetSettings) -> Plan:
        return plan_for(model, targets, hop_seconds=0.24, calibrations=served.serving)

    return run


@pytest.mark.big
def test_claps_are_neither_lost_nor_told_twice_wherever_a_change_falls(hear: Hear) -> None:
    """The same plan anew, before every third block of the bundled claps: only the running event is cut short."""
    expected = [event.start for event in hear("claps.wav").events if event.phase == "start"]
    assert len(expected) == 4
    for at in range(0, 130, 3):
        sink = hear("claps.wav", at)
        assert [event.start for event in sink.events if event.phase == "start"] == expected, at
        phases = [(event.id, event.phase) for event in sink.events]
        assert phases == [(id_, phase) for id_ in dict.fromkeys(id_ for id_, _ in phases) for phase in ("start", "end")], at


def test_a_sound_that_lasts_goes_on_as_another_event(hear: Hear) -> None:
    whole = [event for event in hear("siren.wav").events if event.target == "siren"]
    assert [event.phase for event in whole] == ["start", "end"]
    cut = [event for event in hear("siren.wav", 60).events if event.target == "siren"]
    assert [event.phase for event in cut] == ["start", "end"] * 2
    assert cut[1].end is not None and cut[1].end <= 60 * 1600 <= cut[2].start + 1600


def test_targets_come_and_go(hear: Hear) -> None:
    sink = hear("claps.wav", 60, TargetSettings(name="typing"), TargetSettings(name="loud", louder_db=10.0))
    before, after = ([event.target for event in sink.events if (event.start < 6 * SAMPLE_RATE) is early]
                     for early in (True, False))
    assert set(before) == {"hand_clap"} and set(after) == {"loud"}
    assert [event.sequence for event in sink.events] == list(range(1, len(sink.events) + 1))
