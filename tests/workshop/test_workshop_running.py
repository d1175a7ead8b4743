"""Hearing through an appliance that runs: its samples as they are, its troubles as errors, and its reload."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.errors import CommandError, SourceError
from edge.features.mix import mix
from edge.features.resample import Resampler
from edge.settings import LogSettings, Settings, SourceSettings, TargetSettings
from edge.sinks.watching.client import WatchClient
from edge.sinks.watching.sink import WATCHERS, WatchSink
from edge.sinks.watching.socket import NAME, listening
from edge.sources.command import Command
from edge.sources.recording import Recording
from edge.stream import Block, Sound, StreamFormat
from edge.workshop import hearing, running
from edge.workshop.hearing import Timed
from edge.workshop.running import open_heard, reload_running
from tests.fakes import FakeSource
from tests.sinks.looking import wait_for

MICROPHONE = SourceSettings(kind="command", command=("sleep", "600"), channel=3, channels=4)
"""What the settings would open: a program that gives nothing stands for a microphone."""
RELOADED = {"targets": ["hand_clap", "our_clap"]}


class Served:
    """The real watch socket; what it says of the appliance can be changed, and commands are answered at once."""

    def __init__(self, state_dir: Path) -> None:
        self.about: dict[str, object] = {"source_live": True, "source": "ok", "source_trouble": "", "muted": False}
        self.outcome: object = RELOADED
        self.sink = WatchSink(state_dir, "kitchen", lambda: dict(self.about), act=self.act)
        self.sink.start()

    def act(self, command: object, answer: Callable[[object], None]) -> bool:
        answer(self.outcome)
        return True

    def say(self, position: int, samples: int, *, gap: bool = False) -> None:
        wait_for(lambda: self.sink.wants_sound)
        self.sink.sound(Sound(np.full(samples, 7, np.int16), position, gap))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.sink.stop()


def test_without_an_appliance_the_settings_source_is_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    opened = open_heard(MICROPHONE, tmp_path)
    assert isinstance(opened.source, Command) and (opened.through, opened.channel) == (False, 3)
    assert capsys.readouterr().err == "" and reload_running(tmp_path) is None
    assert reload_running(tmp_path / "nowhere") is None


def test_a_recording_is_opened_itself_and_so_is_a_source_beside_one_that_hears_a_recording(
        served: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    claps = Path(__file__).resolve().parents[2] / "models" / "demo" / "claps.wav"
    recording = open_heard(SourceSettings(kind="file", path=str(claps)), tmp_path)
    recording.source.close()
    assert isinstance(recording.source, Recording) and not recording.through
    served.about |= {"source_live": False, "muted": True}
    beside = open_heard(MICROPHONE, tmp_path)
    assert isinstance(beside.source, Command) and not beside.through and capsys.readouterr().err == ""
    wait_for(lambda: not served.sink.watching)


def test_blocks_begin_at_0_and_what_was_lost_is_a_gap(served: Served, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    opened = open_heard(MICROPHONE, tmp_path)
    assert (opened.through, opened.channel, opened.source.live) == (True, -1, True)
    assert capsys.readouterr().err == "hearing through the running appliance\n"
    blocks = opened.source.blocks()
    found: list[Block] = []

    def told(position: int, samples: int, *, gap: bool = False) -> None:
        worker = threading.Thread(target=served.say, args=(position, samples), kwargs={"gap": gap})
        worker.start()
        found.append(next(block for block in blocks if block is not None))
        worker.join()

    told(480_000, 1_600, gap=True)
    told(481_600, 700)
    told(482_300, 1_600, gap=True)
    told(490_000, 1_600)
    assert [(block.position, block.length, block.gap) for block in found] == [
        (0, 1_600, False), (1_600, 700, False), (2_300, 1_600, True), (10_000, 1_600, True)]
    assert all((block.samples == 7).all() and block.format == StreamFormat(16_000, 1) for block in found)
    opened.source.close()
    opened.source.close()
    assert list(blocks) == []
    wait_for(lambda: not served.sink.watching)


def test_it_says_at_least_once_a_second_that_nothing_comes_and_ends_when_closed_from_another_thread(
        served: Served, tmp_path: Path) -> None:
    served.about |= {"source": "no microphone matches 'USB'", "source_trouble": "missing"}
    source = open_heard(MICROPHONE, tmp_path).source
    blocks = source.blocks()
    assert next(blocks) is None and (source.state, source.trouble) == ("no microphone matches 'USB'", "missing")
    ended: list[object] = []
    thread = threading.Thread(target=lambda: ended.extend(blocks))
    thread.start()
    wait_for(lambda: len(ended) >= 1)
    source.close()
    thread.join(60.0)
    assert not thread.is_alive() and set(ended) == {None}


def test_no_sound_for_long_is_an_error_that_says_what_the_appliance_says(served: Served, tmp_path: Path,
                                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "PATIENCE_SECONDS", 0.2)
    served.about |= {"source": "no microphone matches 'USB'"}
    with pytest.raises(SourceError, match=r"no sound for 0\.2 s \(no microphone matches 'USB'\)"):
        list(Timed(open_heard(MICROPHONE, tmp_path).source, 60.0).blocks())


def test_a_muted_appliance_is_an_error_at_once_and_so_is_a_mute_meanwhile(served: Served, tmp_path: Path,
                                                                          capsys: pytest.CaptureFixture[str]) -> None:
    blocks = open_heard(MICROPHONE, tmp_path).source.blocks()
    assert next(blocks) is None
    served.about["muted"] = True
    with pytest.raises(SourceError, match="running appliance: found muted; wanted one that hears"):
        list(blocks)
    capsys.readouterr()
    with pytest.raises(SourceError, match="running appliance: found muted; wanted one that hears"):
        open_heard(MICROPHONE, tmp_path)
    assert capsys.readouterr().err == ""
    wait_for(lambda: not served.sink.watching)


def test_an_appliance_that_stops_is_an_error(served: Served, tmp_path: Path) -> None:
    blocks = open_heard(MICROPHONE, tmp_path).source.blocks()
    assert next(blocks) is None
    served.sink.stop()
    with pytest.raises(SourceError, match="running appliance: found its end"):
        list(blocks)


def test_what_an_appliance_said_last_is_heard_before_its_end(served: Served, tmp_path: Path) -> None:
    """Sound and goodbye come at once to who looks late."""
    blocks = open_heard(MICROPHONE, tmp_path).source.blocks()
    assert next(blocks) is None
    wait_for(lambda: served.sink.wants_sound)
    served.sink.sound(Sound(np.arange(100, dtype=np.int16), 0))
    served.sink.stop()
    while (block := next(blocks)) is None:
        pass
    assert len(block.samples) == 100
    with pytest.raises(SourceError, match="running appliance: found its end"):
        list(blocks)


def test_an_appliance_that_is_full_is_an_error(served: Served, tmp_path: Path) -> None:
    others = [WatchClient(tmp_path) for _ in range(WATCHERS)]
    wait_for(lambda: len(served.sink._audience.watchers) == WATCHERS)
    with pytest.raises(SourceError, match="8 watch already"):
        open_heard(MICROPHONE, tmp_path)
    for other in others:
        other.close()


def test_an_appliance_that_does_not_answer_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped by Ctrl-Z: the kernel lets others connect."""
    monkeypatch.setattr(running, "GREETING_SECONDS", 0.2)
    monkeypatch.setattr(running, "RELOAD_SECONDS", 0.2)
    door = listening(tmp_path / NAME)
    with pytest.raises(SourceError, match=r"no word in 0\.2 s"):
        open_heard(MICROPHONE, tmp_path)
    with pytest.raises(CommandError, match=r"no answer in 0\.2 s"):
        reload_running(tmp_path)
    door.close()


def test_a_reload_is_answered_with_what_is_heard_or_with_what_is_wrong(served: Served, tmp_path: Path) -> None:
    assert reload_running(tmp_path) == ("hand_clap", "our_clap")
    served.outcome = CommandError("[[target]] name", found="'moo'", wanted="a sound")
    with pytest.raises(CommandError, match="running appliance: reload: found 'moo'; wanted a sound"):
        reload_running(tmp_path)
    wait_for(lambda: not served.sink.watching)


@pytest.mark.big
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_users_appliance_is_named(served: Served, tmp_path: Path) -> None:
    """By a process that loads all it needs as root, and then is somebody else."""
    script = ("import os, pathlib, sys\nfrom edge.errors import SinkError\nfrom edge.settings import SourceSettings\n"
              "from edge.workshop.running import open_heard, reload_running\nstate = pathlib.Path(sys.argv[1])\n"
              "os.setuid(65534)\n"
              "for ask in (lambda: open_heard(SourceSettings(), state), lambda: reload_running(state)):\n"
              "    try:\n        ask()\n    except SinkError as error:\n        print(error)")
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60,
                          check=True)
    assert done.stdout.count("found an appliance of another user; wanted to be run as that user or as root") == 2, done


@pytest.mark.big
def test_a_whole_appliance_is_heard_through_bit_by_bit(tmp_path: Path) -> None:
    """48 kHz stereo, of which the appliance picks one channel; it mixes and resamples, and nothing does so twice."""
    samples = np.random.default_rng(1).integers(-3_000, 3_000, 2 * 4 * 48_000).astype(np.int16)
    reached, wanted = 0, threading.Event()
    script: list[Block | Callable[[], None] | None] = [lambda: None if wanted.wait(60.0) else pytest.fail("no one listens")]
    for number, at in enumerate(range(0, len(samples) // 2, 4_800)):
        if number % 5 == 0:
            script.append(lambda number=number: wait_for(lambda: reached >= (number - 5) * 1_600))
        script.append(Block(samples[2 * at: 2 * (at + 4_800)], at, StreamFormat(48_000, 2)))
    settings = Settings(log=LogSettings(events=""), source=SourceSettings(channel=1),
                        target=(TargetSettings(name="hand_clap"),))
    appliance = build(settings, tmp_path, source=FakeSource(script, live=True))
    thread = threading.Thread(target=appliance.run)
    thread.start()
    (watch,) = [sink for sink in appliance.sinks if sink.name == "watch"]
    wait_for(lambda: (tmp_path / "watch.sock").exists())
    opened = open_heard(MICROPHONE, tmp_path)
    parts = []
    expected = Resampler(48_000).push(mix(samples, 2, 1))
    for block in opened.source.blocks():
        if watch._sink.wants_sound:  # type: ignore[attr-defined]
            wanted.set()
        if block is not None:
            assert block.position == reached and not block.gap
            parts.append(mix(block.samples, block.format.channels, opened.channel))
            reached += len(parts[-1])
        if reached >= len(expected):
            break
    opened.source.close()
    thread.join(60.0)
    assert not thread.is_alive() and np.array_equal(np.concatenate(parts), expected)
