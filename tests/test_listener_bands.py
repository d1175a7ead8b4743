"""The bands that a watcher is shown: each row once, on the axis of events and hearings, gate or no gate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from edge.app import build
from edge.control.changes import Change, Control
from edge.decision.onset import CENTRE
from edge.features.framing import Framer
from edge.features.logmel import LogMel
from edge.settings import GateSettings, LogSettings, Settings, SourceSettings, TargetSettings
from edge.stream import FRAME_STEP, Bands, Block, Hearing
from tests.fakes import FakeSink, FakeSource, LoudnessModel, blocks_of, listener_of, silence, tone

DEMO = Path(__file__).resolve().parents[1] / "models" / "demo"


class Eyes:
    """A watcher that keeps what it is shown, in order."""

    watching, wants_sound = True, False

    def __init__(self, wants_bands: bool = True) -> None:
        self.wants_bands = wants_bands
        self.shown: list[Bands] = []
        self.heard: list[Hearing] = []

    def hearing(self, hearing: Hearing) -> None:
        self.heard.append(hearing)

    def bands(self, bands: Bands) -> None:
        assert self.wants_bands and len(bands.rows)
        self.shown.append(bands)

    def by_position(self) -> dict[int, NDArray[np.float32]]:
        """Each row at its position; none twice, none before another that came earlier."""
        at = [each.position + FRAME_STEP * row for each in self.shown for row in range(len(each.rows))]
        assert at == sorted(set(at))
        return dict(zip(at, (row for each in self.shown for row in each.rows), strict=True))


def rows_of(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    log_mel = LogMel()
    return np.concatenate([log_mel.rows(frames) for frames in Framer(400, FRAME_STEP, dtype=np.int16).push(samples)])


def hear(script: list[Any], eyes: Eyes, *, live: bool = True, **options: Any) -> None:
    listener_of(LoudnessModel(), [TargetSettings(name="loud")], watcher=eyes, **options).run(FakeSource(script, live=live))


@pytest.mark.parametrize("block", [160, 1_600, 1_777, 16_000])
def test_no_row_comes_twice_and_none_is_missing_while_the_gate_is_closed_too(block: int) -> None:
    samples = np.concatenate([silence(20.0), tone(0.5), silence(4.0), tone(0.1), silence(0.5)])
    eyes = Eyes()
    hear(list(blocks_of(samples, block=block)), eyes, gate=GateSettings(hang_over_seconds=1.0))
    assert {hearing.gate_open for hearing in eyes.heard} == {False, True}
    rows, expected = eyes.by_position(), rows_of(samples)
    assert list(rows) == [FRAME_STEP * row for row in range(len(expected))], "up to the last whole frame"
    assert np.array_equal(np.stack(list(rows.values())), expected)


def test_a_gap_is_seen_by_the_position() -> None:
    eyes = Eyes()
    hear([*blocks_of(tone(1.0)), *blocks_of(tone(1.0), position=48_000, gap=True)], eyes)
    rows = list(eyes.by_position())
    leaps = [(before, after) for before, after in pairwise(rows) if after - before != FRAME_STEP]
    assert leaps == [(15_520, 48_000)]


def test_nothing_is_shown_while_muted_and_rows_go_on_at_their_place() -> None:
    control, eyes = Control(), Eyes()

    def mute(on: bool) -> Callable[[], None]:
        return lambda: control.put(Change(muted=on)) and None

    blocks: list[Block] = list(blocks_of(tone(6.0)))
    hear([*blocks[:20], mute(True), *blocks[20:40], mute(False), *blocks[40:]], eyes, control=control)
    rows = list(eyes.by_position())
    leaps = [(before, after) for before, after in pairwise(rows) if after - before != FRAME_STEP]
    assert leaps == [(31_520, 64_000)]


def test_they_are_dated_like_events() -> None:
    now = 1_000.0
    eyes, sink = Eyes(), FakeSink()
    listener = listener_of(LoudnessModel(), [TargetSettings(name="loud", sound="impulsive")], watcher=eyes,
                           monotonic=lambda: now, utc=lambda: 1e9 + now)
    script: list[Any] = []
    for block in blocks_of(np.concatenate([silence(2.0), tone(0.1, amplitude=20_000.0), silence(2.0)])):
        def later() -> None:
            nonlocal now
            now += 0.1
        script += [later, block]
    listener.run(FakeSource(script, live=True), [sink])
    (event,) = [event for event in sink.events if event.phase == "start"]
    for bands in eyes.shown:
        apart = (event.started_at - bands.begins_at).total_seconds()
        assert apart == pytest.approx((event.start - bands.position) / 16_000, abs=1e-5)


def test_nobody_who_wants_none_is_shown_any() -> None:
    eyes = Eyes(wants_bands=False)
    hear(list(blocks_of(tone(2.0))), eyes)
    assert eyes.heard and not eyes.shown


def test_a_claps_onset_lies_on_the_row_that_the_guide_says(tmp_path: Path) -> None:
    """The real listener over a recording: the level rises by 6 dB and more at that row, shown before the event was."""
    eyes, sink = Eyes(), FakeSink()
    shown_by_then: list[int] = []
    sink.event = lambda event: (sink.events.append(event), shown_by_then.append(max(eyes.by_position())))  # type: ignore
    settings = Settings(source=SourceSettings(kind="file", path=str(DEMO / "claps.wav"), paced=False),
                        log=LogSettings(events=""), target=(TargetSettings(name="hand_clap"),))
    build(settings, tmp_path, watcher=eyes, extra_sinks=[sink]).run()
    rows = eyes.by_position()
    claps = [(event, then) for event, then in zip(sink.events, shown_by_then, strict=True) if event.phase == "start"]
    assert len(claps) >= 3 and isinstance(claps[0][0].started_at, datetime)
    for clap, then in claps:
        position = eyes.shown[0].position
        number = round((clap.start - position - CENTRE) / FRAME_STEP)
        assert position + FRAME_STEP * number in rows and position + FRAME_STEP * number <= then
        around = [float(np.mean(rows[position + FRAME_STEP * (number + step)])) for step in (-4, 2)]
        assert around[1] - around[0] > np.log(2.0)
