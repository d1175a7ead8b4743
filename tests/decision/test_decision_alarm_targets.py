"""Which targets are heard by their rhythm, and what becomes of them: patterns, a sleeping gate, Home Assistant, figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from edge import classify, load_model
from edge.app import board_of
from edge.control.plan import plan_for
from edge.decision.decision import Decision
from edge.decision.detection import Detection
from edge.decision.resolve import resolve_targets
from edge.decision.rhythm import T3
from edge.decision.targets import Targets
from edge.errors import SettingsError
from edge.features.logmel import LogMel
from edge.learn.calibrate import Budget
from edge.learn.labelled_clips import Clip
from edge.listener import Listener
from edge.model.classifier import Model
from edge.settings import GateSettings, Settings, TargetSettings
from edge.sinks.mqtt.discovery import device_payload
from edge.stream import FRAME_SAMPLES, FRAME_STEP, PATCH_SAMPLES, SAMPLE_RATE
from edge.workshop.evaluate import evaluate_clips
from edge.workshop.session import Session
from tests.alarm_sounds import pcm, sounding, t3, t4
from tests.fakes import FakeSink, FakeSource, blocks_of
from tests.sources.wav_files import wav

SMOKE, CO = TargetSettings(name="smoke_alarm"), TargetSettings(name="co_alarm")


@pytest.fixture(scope="module")
def starter() -> Model:
    return load_model("starter")


def resolved(*wanted: TargetSettings, labels: tuple[str, ...] = ("beep", "clap"), **more: object) -> Targets:
    return resolve_targets(wanted, labels, (), **more)  # type: ignore[arg-type]


def test_they_are_standard_with_a_model_that_suggests_nothing() -> None:
    assert resolved().names == ("smoke_alarm", "co_alarm") and not resolved().sounds


def test_labels_of_the_settings_and_a_taught_sound_go_before_the_rhythm() -> None:
    by_labels = resolved(replace(SMOKE, labels=("beep",)))
    assert [sound.name for sound in by_labels.sounds] == ["smoke_alarm"] and not by_labels.rhythms
    taught = resolved(SMOKE, labels=("beep", "smoke_alarm"))
    assert [sound.name for sound in taught.sounds] == ["smoke_alarm"] and not taught.rhythms
    pattern = TargetSettings(name="smoke_alarm", pattern_of="beep")
    assert not resolved(pattern).rhythms and resolved(pattern).names == ("smoke_alarm",)
    assert not resolved(replace(SMOKE, louder_db=20.0)).rhythms


def test_thresholds_of_settings_and_of_a_command() -> None:
    assert [each.threshold for each in resolved(SMOKE, replace(CO, threshold=0.7)).rhythms] == [0.5, 0.7]
    assert resolved(replace(SMOKE, threshold=0.7), thresholds={"smoke_alarm": 0.4}).rhythms[0].threshold == 0.4
    longer = resolved(replace(SMOKE, release_seconds=60.0), SMOKE).rhythms
    assert [each.release for each in longer] == [60 * SAMPLE_RATE, T3.release]


@pytest.mark.parametrize(("key", "value"), [
    ("release_threshold", 0.2), ("minimum_duration_seconds", 1.0), ("sound", "impulsive")])
def test_what_only_a_score_has_is_refused(key: str, value: object) -> None:
    with pytest.raises(SettingsError, match=f"smoke_alarm {key}.*rhythm.*labels of the model"):
        resolved(replace(SMOKE, **{key: value}))  # type: ignore[arg-type]


def hear(sound: np.ndarray, *wanted: TargetSettings) -> list[Detection]:
    """What a decision makes of it while the gate sleeps: rows alone."""
    rows = LogMel().rows(sliding_window_view(sound, FRAME_SAMPLES)[::FRAME_STEP])
    decision = Decision(resolved(*wanted), ("beep", "clap"), patch_samples=PATCH_SAMPLES, hop_samples=3_840)
    found: list[Detection] = []
    fed = 0
    for position in range(0, len(sound) - PATCH_SAMPLES + 1, 3_840):
        end = (position + PATCH_SAMPLES - FRAME_SAMPLES) // FRAME_STEP + 1
        decision.hear(rows[fed:end], fed * FRAME_STEP)
        fed = end
        found += decision.skip(position)
    return found + decision.interrupt(len(sound))


def test_a_pattern_counts_alarms() -> None:
    twice = TargetSettings(name="two_alarms", pattern_of="smoke_alarm", count=2, maximum_gap_seconds=60.0)
    sound = pcm(sounding(t3(0.5, 2) + t3(24.0, 2), 50.0))
    assert [each.target for each in hear(sound, twice)] == ["two_alarms"] * 2, "start and end; the alarms are not sent"
    told = [each.target for each in hear(sound, twice, SMOKE) if each.phase == "start"]
    assert told == ["smoke_alarm", "smoke_alarm", "two_alarms"]


def test_both_alarms_are_told_apart() -> None:
    sound = pcm(sounding(t3(0.5, 3), 40.0) + sounding(t4(14.0, 4), 40.0, hertz=3_600.0))
    assert [(each.target, each.label) for each in hear(sound) if each.phase == "start"] == [
        ("smoke_alarm", "T3"), ("co_alarm", "T4")]


def test_the_listener_sends_it_with_its_gate_asleep(starter: Model) -> None:
    sink = FakeSink()
    listener = Listener(plan_for(starter), gate=GateSettings())
    listener.run(FakeSource(blocks_of(pcm(sounding(t3(2.0, 3), 24.0)))), [sink])
    mine = [event for event in sink.events if event.target == "smoke_alarm"]
    assert [event.phase for event in mine] == ["start", "end"]
    assert mine[0].start / SAMPLE_RATE == pytest.approx(2.0, abs=0.05)
    assert mine[0].level_dbfs > -40.0, "the level at the first beep is still known"


def test_home_assistant_shows_smoke_and_carbon_monoxide(starter: Model) -> None:
    board = board_of(Settings(), starter, plan_for(starter).targets)
    shown = device_payload(board)["components"]
    assert isinstance(shown, dict)
    assert shown["state_smoke_alarm"]["device_class"] == "smoke"
    assert shown["state_co_alarm"]["device_class"] == "carbon_monoxide"
    assert "event_smoke_alarm" not in shown, "an alarm lasts"


def test_evaluate_judges_clips_by_its_events(tmp_path: Path) -> None:
    model = load_model("starter", state_dir=tmp_path)
    clips = []
    for number, (name, pulses) in enumerate((("smoke_alarm", t3()), ("smoke_alarm", t3(cycles=1)), ("hand_clap", t3()),
                                             ("hand_clap", [(1.0, 0.1)]))):
        path = wav(tmp_path / f"{number}.wav", pcm(sounding(pulses, 14.0)).tobytes())
        clips.append(Clip(path, name))
    figures, _ = evaluate_clips(model, clips, (), Settings(), tmp_path, hop_seconds=0.48)
    alarms = next(row.alarms for row in figures.classes if row.name == "smoke_alarm")
    assert alarms is not None
    assert (alarms.heard, alarms.of, alarms.alarms, alarms.threshold) == (1, 2, 1, 0.5)


def test_calibrate_refuses_what_has_no_score(starter: Model, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--target smoke_alarm.*heard by its rhythm.*a target that is a sound"):
        Session.open(starter, Settings(), tmp_path, Budget(1.0), ["smoke_alarm"])


def test_classify_says_it_of_an_array(starter: Model) -> None:
    events = classify(starter, pcm(sounding(t4(), 18.0))).as_dict()["events"]
    assert isinstance(events, list)
    assert [(each["target"], each["start_seconds"]) for each in events if each["target"] == "co_alarm"] == [
        ("co_alarm", pytest.approx(1.0, abs=0.05))]
