"""What was judged and calibrated serves only where it fits the settings; what does not is said, with what mends it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.cli.checkup.checkup import check
from edge.control.loading import load_calibrations, load_model, model_folder
from edge.model import taught_file
from edge.model.calibration_file import load_calibration, own_path, save_calibration, shipped_path
from edge.model.manifest_file import load_manifest
from edge.model.taught import Judgement, Taught, TaughtCorrection
from edge.model.taught_file import load_taught, save_taught
from edge.settings import LogSettings, Settings, SourceSettings, TargetSettings
from edge.sinks.journal.entries import Entry
from edge.workshop.feedback import judge
from edge.workshop.lessons import Lessons
from tests.fakes import FakeSource


def heard_as(*labels: str) -> Settings:
    """Settings with one target, `alarm`, of these labels."""
    return Settings(target=(TargetSettings(name="alarm", labels=labels),), log=LogSettings(events=""))


def corrected(settings: Settings, state: Path) -> bool:
    (sound,) = build(settings, state, source=FakeSource([])).listener.targets.sounds
    return sound.correction is not None


def judged(state: Path, settings: Settings, event: str) -> Taught:
    """What the model is taught once a made-up event of `alarm` was judged wrong."""
    lessons = Lessons("starter", model_folder("starter", state), state)
    assert lessons.manifest.backbone is not None
    spec = lessons.manifest.backbone
    cells = np.random.default_rng(len(event)).integers(-128, 128, spec.output.size).astype(np.int8)
    entry = Entry(event, "alarm", "siren", 0.9, 0.9, datetime.now(UTC), None, -30.0, cells, backbone=spec.sha256)
    taught = judge(lessons, settings, entry, right=False, target="alarm", judged_at="2026-11-29").taught
    save_taught(state, taught)
    return taught


def test_feedback_does_not_act_on_other_labels_of_the_same_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Feedback on alarm = [siren] still acted when the labels of alarm became [dog_bark]."""
    assert judged(tmp_path, heard_as("siren"), "first").corrections["alarm"].labels == ("siren",)
    assert corrected(heard_as("siren"), tmp_path)
    other = heard_as("dog_bark")
    assert not corrected(other, tmp_path)
    (problem,) = load_calibrations(load_model(state_dir=tmp_path), other, tmp_path).problems
    assert problem == ("feedback on alarm: made for the labels siren, here dog_bark; not used "
                       "(edge-audio teach --model starter --remove alarm)")
    (finding,) = [each for each in check(replace(other, source=SourceSettings(kind="file")), tmp_path)
                  if each.part == "calibration"]
    assert not finding.ok and finding.advice == "edge-audio teach --model starter --remove alarm"
    assert main([*finding.advice.split()[1:], "--state-dir", str(tmp_path)]) == 0
    assert load_calibrations(load_model(state_dir=tmp_path), other, tmp_path).problems == ()
    assert main(["teach", "--undo", "--state-dir", str(tmp_path)]) == 0
    assert "undone: removed alarm" in capsys.readouterr().out
    assert corrected(heard_as("siren"), tmp_path), "what fits again serves again"


def test_a_refit_takes_judgements_of_the_same_labels_only(tmp_path: Path) -> None:
    judged(tmp_path, heard_as("siren"), "first")
    taught = judged(tmp_path, heard_as("dog_bark", "siren"), "second one")
    assert [one.labels for one in taught.judgements] == [("siren",), ("dog_bark", "siren")]
    assert taught.corrections["alarm"].labels == ("dog_bark", "siren")
    assert corrected(heard_as("siren", "dog_bark"), tmp_path), "in any order"


def test_feedback_of_before_labels_were_kept_belongs_to_the_models_own_target(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = load_manifest(model_folder("starter", tmp_path))
    empty = Taught.nothing(manifest)
    rows = TaughtCorrection(np.ones((1, empty.columns), np.float32), np.ones(1, np.float32))
    old = replace(empty, corrections={"hand_clap": rows, "siren": rows}, judgements=(
        Judgement("event", "hand_clap", True, np.zeros(empty.columns, np.int8), "2026-11-22"),))
    arrays = taught_file._arrays

    def without_labels(taught: Taught) -> dict[str, object]:
        found = arrays(taught)
        about = json.loads(str(found["about"]))
        for each in (*about["corrections"], *about["judgements"]):
            del each["labels"]
        return found | {"about": np.array(json.dumps(about))}

    monkeypatch.setattr(taught_file, "_arrays", without_labels)
    save_taught(tmp_path, old)
    own = next(target.labels for target in manifest.targets if target.name == "hand_clap")
    taught = load_taught(tmp_path, manifest)
    assert taught.corrections["hand_clap"].labels == own and taught.judgements[0].labels == own
    assert taught.corrections["siren"].labels == next(
        (target.labels for target in manifest.targets if target.name == "siren"), ("siren",))


def test_a_calibrated_threshold_under_the_settings_release_threshold_does_not_stop_the_start(
        tmp_path: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """`calibrate` found a threshold under the release threshold of the settings, and the service did not start again."""
    model = load_model("starter")
    shipped = load_calibration(shipped_path(model_folder("starter", tmp_path), "LiteRT"), model.manifest)
    assert shipped is not None
    entry = replace(shipped.targets["siren"], threshold=0.31, release_threshold=0.2, made="room")
    save_calibration(own_path(tmp_path, "starter"), replace(shipped, targets={"siren": entry}))
    settings = Settings(target=(TargetSettings(name="siren", release_threshold=0.4),), log=LogSettings(events=""))
    (sound,) = build(settings, tmp_path, source=FakeSource([])).listener.targets.sounds
    assert (sound.threshold, sound.release_threshold) == (0.31, 0.31)
    said = "release_threshold 0.4 of siren: over its threshold 0.3100"
    assert said in caplog.text
    (finding,) = [each for each in check(replace(settings, source=SourceSettings(kind="file")), tmp_path)
                  if each.part == "calibration"]
    assert not finding.ok and finding.text.startswith(said) and finding.advice.endswith("[[target]] siren")


def test_calibrate_says_what_becomes_of_the_release_threshold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "edge.toml"
    config.write_text('[[target]]\nname = "hand_clap"\nrelease_threshold = 0.95\n', encoding="utf-8")
    demo = Path(__file__).resolve().parents[2] / "models" / "demo"
    assert main(["calibrate", "--room", str(demo / "typing.wav"), "--config", str(config), "--state-dir", str(tmp_path),
                 "--dry-run"]) == 0
    assert "release_threshold of hand_clap, 0.95, lies over this threshold, which serves for both" in capsys.readouterr().out
