"""A board that is too slow: what the listener leaves out, says, and hears again."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.app import build
from edge.listener import Listener
from edge.settings import LogSettings, Settings, SourceSettings
from edge.stream import SAMPLE_RATE, Patch, Scores
from tests.fakes import FakeSink, FakeSource, LoudnessModel, blocks_of, listener_of, silence, tone
from tests.page.chromium import player
from tests.sinks.looking import Looker, wait_for

HOP = 3_840
CLAPS = Path(__file__).resolve().parents[1] / "models" / "demo" / "claps.wav"


def script(source: FakeSource, waiting: Callable[[int], float], sound: NDArray[np.int16]) -> list[object]:
    """Blocks of a sound; before each, so much sound waits behind it. waiting: of the block's number."""
    def behind(number: int) -> Callable[[], None]:
        return lambda: setattr(source, "waiting_seconds", waiting(number))

    return [each for number, block in enumerate(blocks_of(sound)) for each in (behind(number), block)]


def heard_with(waiting: Callable[[int], float], sound: NDArray[np.int16]) -> tuple[LoudnessModel, FakeSink, Listener]:
    model, sink, source = LoudnessModel(), FakeSink(), FakeSource([], live=True)
    source._script = script(source, waiting, sound)  # type: ignore[assignment]
    listener = listener_of(model)  # type: ignore[arg-type]
    listener.run(source, [sink])
    return model, sink, listener


def test_the_model_hears_fewer_patches_and_the_events_stay() -> None:
    sound = np.concatenate([silence(4.0), tone(3.0), silence(4.0)])
    model, sink, listener = heard_with(lambda number: 0.6 if number == 3 else 0.3, sound)
    assert listener.pace.stretch == 2 and listener.stats.dropped_samples == 0
    steps = {later.position - sooner.position for sooner, later in zip(model.patches[2:], model.patches[3:], strict=False)}
    assert steps == {2 * HOP}
    assert listener.stats.patches + listener.stats.passed_patches == 1 + (len(sound) - model.patch_samples) // HOP
    start, end = sink.events
    assert start.start / SAMPLE_RATE == pytest.approx(4.0, abs=0.5) and end.end is not None
    assert end.end / SAMPLE_RATE == pytest.approx(7.0, abs=0.5)


def test_sound_that_is_dropped_is_counted_ends_what_runs_and_is_a_gap() -> None:
    model, sink, listener = heard_with(lambda number: {20: 1.0, 21: 1.6, 22: 0.9, 23: 0.1}.get(number, 0.1), tone(6.0))
    assert listener.stats.dropped_samples == 2 * 1_600
    assert [event.phase for event in sink.events] == ["start", "end", "start", "end"]
    end, start = sink.events[1].end, sink.events[2].start
    assert end is not None and end <= 2.1 * SAMPLE_RATE < 2.3 * SAMPLE_RATE <= start
    assert sum(patch.first for patch in model.patches) == 2, "no patch spans what was dropped"


@pytest.mark.big
def test_a_whole_appliance_says_that_it_is_too_slow_and_recovers(tmp_path: Path) -> None:
    """A real source that cannot wait; each score takes longer than a hop, and later no longer does."""
    command = (sys.executable, player.__file__, str(CLAPS))
    settings = Settings(source=SourceSettings(kind="command", command=command), log=LogSettings(events=""))
    appliance, slow = build(settings, tmp_path), threading.Event()
    score = appliance.model.score

    def slowly(patch: Patch) -> Scores:
        time.sleep(0.3 if slow.is_set() else 0.0)
        return score(patch)

    appliance.listener._model.score = slowly  # type: ignore[method-assign]
    slow.set()
    thread = threading.Thread(target=appliance.run)
    thread.start()
    try:
        wait_for((tmp_path / "watch.sock").exists)
        wait_for(lambda: appliance.stats.passed_patches > 2)
        said = Looker(tmp_path)
        said.until(lambda _: bool(said.kinds("about")))
        assert said.kinds("about")[0]["about"]["pace"].startswith("too slow: listens every ")
        said.client.close()
        slow.clear()
        wait_for(lambda: appliance.listener.pace.state == "ok")
        patches = appliance.stats.patches
        wait_for(lambda: appliance.stats.patches > patches)
    finally:
        appliance.stop()
        thread.join(60.0)
    assert not thread.is_alive()
