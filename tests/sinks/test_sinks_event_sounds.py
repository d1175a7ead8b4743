"""The sound of events: off unless asked for, bounded, for its user only, and never in the way."""

from __future__ import annotations

import json
import logging
import stat
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.backoff import is_well
from edge.cli import main
from edge.control.changes import Change, Control
from edge.control.plan import plan_for
from edge.errors import SettingsError, SinkError
from edge.features.recent import RecentSound
from edge.settings import JournalSettings, LogSettings, Settings, TargetSettings
from edge.settings_file import check_together
from edge.sinks.journal.entries import FILE, recent
from edge.sinks.journal.event_sounds import (
    AFTER,
    BEFORE,
    FOLDER,
    LONGEST,
    Cut,
    EventSounds,
    SoundKeeper,
    sound_path,
)
from edge.sinks.journal.numbering import Numbering
from edge.sinks.journal.sink import JournalSink
from edge.sources.recording import open_recording
from edge.stats import Stats
from tests.fakes import FakeSource, LoudnessModel, blocks_of, listener_of, tone
from tests.sinks.test_sinks_journal import event, eventually

CLAPS = Path(__file__).resolve().parents[2] / "models" / "demo" / "claps.wav"


def journal_at(folder: Path, cut: Cut) -> JournalSink:
    return JournalSink(JournalSettings(sound=True), folder / FILE, pack=None, labels=("clap",), backbone="",
                       numbering=Numbering(folder / "sequence"), stats=Stats(),
                       sounds=SoundKeeper(folder / FOLDER, cut, megabytes=64))


def heard(state: Path, *, sound: bool) -> Settings:
    settings = Settings()
    source = replace(settings.source, kind="file", path=str(CLAPS), paced=False)
    settings = replace(settings, source=source, log=replace(settings.log, events=""),
                       journal=JournalSettings(sound=sound))
    build(settings, state).run()
    return settings


def read(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_no_sound_is_kept_unless_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    heard(tmp_path, sound=False)
    assert recent(tmp_path / FILE, 10) and not (tmp_path / FOLDER).exists()
    assert main(["feedback", "--list", "--format", "json", "--state-dir", str(tmp_path)]) == 0
    assert "sound" not in json.loads(capsys.readouterr().out.splitlines()[0])


def test_each_events_sound_is_what_the_appliance_heard(tmp_path: Path, capsys: pytest.CaptureFixture[str],
                                                       caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        heard(tmp_path, sound=True)
    assert "the sound of events is kept" in caplog.text
    entries = recent(tmp_path / FILE, 50)
    assert entries
    with open_recording(CLAPS) as recording:
        whole = np.concatenate([block.samples for block in recording.blocks() if block is not None])
    for entry in entries:
        path = sound_path(tmp_path / FOLDER, entry.id)
        kept = read(path)
        assert BEFORE <= len(kept) <= LONGEST
        # Where in the recording it lies: at one place, bit for bit, with its loudest moment inside.
        places = [at for at in np.flatnonzero(whole[:len(whole) - len(kept) + 1] == kept[0])
                  if np.array_equal(whole[at:at + len(kept)], kept)]
        assert len(places) == 1
        assert np.abs(kept.astype(np.int32)).argmax() >= BEFORE - 800
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / FOLDER).stat().st_mode) == 0o700
    assert main(["feedback", "--list", "--format", "json", "--state-dir", str(tmp_path)]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {row["sound"] for row in rows} == {str(sound_path(tmp_path / FOLDER, entry.id)) for entry in entries}


def test_a_sound_whose_end_is_told_late_is_kept_too(tmp_path: Path) -> None:
    """The end is told once the pause has been as long as `release_seconds`: the ring once was shorter than that."""
    quiet = np.random.default_rng(1).normal(0, 30, 3 * 16_000).astype(np.int16)
    sound = np.concatenate([quiet, tone(1.0), *[quiet] * 8])
    target = TargetSettings(name="loud", louder_db=20.0, release_seconds=20.0)
    settings = replace(Settings(), log=LogSettings(events=""), journal=JournalSettings(sound=True), target=(target,))
    build(settings, tmp_path, source=FakeSource(blocks_of(sound))).run()
    (entry,) = recent(tmp_path / FILE, 10)
    kept = read(sound_path(tmp_path / FOLDER, entry.id))
    assert len(kept) == pytest.approx(BEFORE + 16_000 + AFTER, abs=1_600)
    assert np.abs(kept[BEFORE + 1_600:-AFTER - 1_600].astype(np.int32)).max() > 10_000


def test_no_more_is_remembered_than_the_targets_ask_for() -> None:
    clap = TargetSettings(name="loud", release_seconds=0.5)
    double = TargetSettings(name="double", pattern_of="loud", count=3, maximum_gap_seconds=2.0, quiet_after_seconds=4.0)
    hundred = replace(double, count=100, maximum_gap_seconds=60.0)
    plans = [plan_for(LoudnessModel(), targets) for targets in ((), (clap,), (clap, double), (hundred,))]
    # Where nothing is named, the alarms by their rhythm are heard: their end is told two cycles late.
    assert [plan.sound_seconds for plan in plans] == [23.4, 12.5, 22.5, 612.0]


def test_the_ring_of_sound_grows_with_a_longer_release_time() -> None:
    """An owner lengthens `release_seconds` to 20 s and reloads: the ring once stayed at 12.5 s."""
    model, ring, control = LoudnessModel(), RecentSound(0.1), Control()
    listener = listener_of(model, recent=ring, control=control)
    control.put(Change(plan=plan_for(model, (TargetSettings(name="loud", release_seconds=20.0),))))
    sound = np.ones(35 * 16_000, np.int16)
    listener.run(FakeSource(blocks_of(sound)))
    assert len(ring.cut(0, len(sound))) == 32 * 16_000


def test_a_sound_that_was_forgotten_is_counted_and_no_file(tmp_path: Path) -> None:
    sink = journal_at(tmp_path, lambda _start, _end: np.zeros(0, np.int16))
    sink.start()
    sink.event(replace(event(1), phase="end", start=32_000, end=40_000))
    sink.stop()
    assert sink.state == "ok; keeps the sound of events, 1 not kept" and not (tmp_path / FOLDER).exists()


def test_the_oldest_go_first_and_the_newest_stays(tmp_path: Path) -> None:
    sounds = EventSounds(tmp_path / FOLDER, megabytes=1)
    for number in range(8):
        sounds.write(f"019a-{number}", np.zeros(100_000, np.int16))  # 200 kB each
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == [f"019a-{number}.wav" for number in range(4, 8)]
    sounds.write("019b", np.zeros(900_000, np.int16))
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["019b.wav"]


def test_they_are_bounded_where_the_clock_goes_back_too(tmp_path: Path) -> None:
    """A board without a clock of its own may name the newest sound as if it were the oldest."""
    sounds = EventSounds(tmp_path / FOLDER, megabytes=1)
    for number in (5, 6, 7, 8, 0, 1):
        sounds.write(f"019a-{number}", np.zeros(100_000, np.int16))
        assert sound_path(tmp_path / FOLDER, f"019a-{number}").exists()
        assert sum(path.stat().st_size for path in (tmp_path / FOLDER).iterdir()) <= 1_000_000


def test_what_a_power_cut_leaves_does_not_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sounds = EventSounds(tmp_path / FOLDER, megabytes=1)
    monkeypatch.setattr(Path, "unlink", lambda *_, **__: None)  # nor does anything else tidy up
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(5, "power cut")))
    for number in range(3):
        with pytest.raises(SinkError, match="power cut"):
            sounds.write(f"019a-{number}", np.zeros(100, np.int16))
    assert len(list((tmp_path / FOLDER).iterdir())) == 1
    monkeypatch.undo()
    sounds.write("019a-3", np.zeros(100, np.int16))
    assert [path.name for path in (tmp_path / FOLDER).iterdir()] == ["019a-3.wav"]


def test_a_folder_that_cannot_be_written_is_said_and_events_are_kept(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(SinkError, match="sounds"):
        EventSounds(tmp_path / FOLDER, megabytes=1).write("019a", np.zeros(10, np.int16))
    asked: list[tuple[int, int]] = []

    def cut(start: int, end: int) -> np.ndarray:
        asked.append((start, end))
        return np.zeros(100, np.int16)

    sink = journal_at(tmp_path, cut)
    sink.start()
    sink.event(event(1))  # a start: its sound is not over
    sink.event(replace(event(2), phase="end", start=32_000, end=40_000))
    sink.event(replace(event(3), phase="end", start=32_000, end=32_000 + 30 * 16_000))
    assert eventually(lambda: "2 not kept" in sink.state)
    sink.stop()
    assert "sounds" in sink.state and not is_well(sink.state) and len(recent(tmp_path / FILE, 10)) == 3
    assert asked[0] == (32_000 - BEFORE, 40_000 + AFTER) and asked[1][1] - asked[1][0] == LONGEST


def test_sound_without_events_is_a_mistake() -> None:
    with pytest.raises(SettingsError, match="sound"):
        check_together(Settings(journal=JournalSettings(events=0, sound=True)))
