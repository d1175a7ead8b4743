"""A target that looks decide, calibrated by the room: its entry belongs to the look network, and to no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.control.loading import load_calibrations, load_model
from edge.learn.calibrate import threshold_logit
from edge.model.calibration_file import load_calibration, own_path, save_calibration
from edge.settings import LogSettings, Settings, SourceSettings, TargetSettings
from edge.sources.open import open_source
from edge.stats import Stats
from edge.workshop.hearing import hear
from tests.cli.test_cli import write_wav
from tests.fakes import FakeSource

FALLS = tuple(1.0 + 1.5 * number for number in range(25))


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """Forty seconds of a room in which something falls every 1.5 s."""
    rng = np.random.default_rng(2)
    samples = rng.normal(0, 60, 40 * 16_000)
    for at in FALLS:
        start = round(at * 16_000)
        samples[start: start + 3_200] += rng.normal(0, 5_000, 3_200) * np.exp(-np.arange(3_200) / rng.uniform(100, 900))
    return write_wav(tmp_path / "room.wav", samples.astype(np.int16))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGE_AUDIO_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def calibrate(*arguments: str | Path) -> None:
    assert main(["calibrate", *map(str, arguments)]) == 0


def test_every_onset_of_the_room_is_judged_where_it_lies(room: Path, state: Path) -> None:
    model = load_model()
    targets = build(Settings(log=LogSettings(events="")), state, source=FakeSource([])).listener.targets.sounds
    clap = next(target for target in targets if target.name == "hand_clap")
    source = open_source(SourceSettings(kind="file", path=str(room), paced=False), Stats())
    heard = hear(model, [clap, *(one for one in targets if one.name == "typing")], source, hop_seconds=0.24)
    (stretch,) = heard.stretches["hand_clap"]
    (patches,) = heard.stretches["typing"]
    assert np.isfinite(patches).all() and len(stretch) >= len(patches)
    places = np.flatnonzero(np.isfinite(stretch)) * 0.24
    assert all(any(place <= at + 0.02 and at < place + 0.26 for place in places) for at in FALLS)
    assert len(places) <= len(FALLS) + 3


@pytest.mark.big
def test_the_rooms_threshold_serves_at_the_next_start_and_keeps_the_budget_there(room: Path, state: Path) -> None:
    """At a budget that the room exceeds, what fell in it raises fewer alarms than before."""
    calibrate("--room", room, "--target", "hand_clap", "--budget", "200/hour", "--varied-minutes", "0")
    model = load_model()
    kept = load_calibration(own_path(state, "starter"), model.manifest)
    assert kept is not None
    entry = kept.targets["hand_clap"]
    offer = next(offer for offer in model.offers if offer.name == "hand_clap")
    assert (entry.made, entry.network, entry.row_sha256) == ("room", offer.digest, offer.digest)
    assert entry.room is not None and 20 <= entry.room.count <= len(FALLS) + 3 and entry.scale == 1.0
    serving = build(Settings(log=LogSettings(events="")), state, source=FakeSource([])).listener.targets.sounds
    clap = next(target for target in serving if target.name == "hand_clap")
    assert clap.looked and clap.threshold == entry.threshold >= offer.threshold
    assert sum(logit >= threshold_logit(entry) for logit in entry.room.logits) <= 200 * 40 / 3600 + 1


def test_an_entry_of_another_network_or_of_patches_is_refused_with_the_command_that_mends_it(
        room: Path, state: Path) -> None:
    calibrate("--room", room, "--target", "hand_clap")
    model = load_model()
    kept = load_calibration(own_path(state, "starter"), model.manifest)
    assert kept is not None
    entry = kept.targets["hand_clap"]
    for changed, said in ((replace(entry, network="1" * 64), "made for look network 111111111111, here look network"),
                          (replace(entry, network=""), "made for patches, here look network")):
        save_calibration(own_path(state, "starter"), kept.with_targets({"hand_clap": changed}))
        found = load_calibrations(model, Settings(), state)
        assert "hand_clap" not in found.entries
        (problem,) = found.problems
        assert said in problem and "(edge-audio calibrate --model starter --target hand_clap)" in problem
    save_calibration(own_path(state, "starter"), kept)
    by_patches = Settings(target=(TargetSettings(name="hand_clap", labels=("hand_clap",)),))
    (problem,) = load_calibrations(model, by_patches, state).problems
    assert "made for look network" in problem and "here patches decide" in problem


def test_what_ships_for_patches_is_left_aside_without_a_word(state: Path) -> None:
    found = load_calibrations(load_model(), Settings(), state)
    assert "hand_clap" not in found.entries and "typing" in found.entries and found.problems == ()
