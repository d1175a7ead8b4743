"""`model show` prints the thresholds that serve, and says whence each is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.control.commanded import Commanded, save_commanded
from edge.control.current import serving_of
from edge.control.loading import load_model
from edge.control.thresholds import thresholds
from edge.model.calibration import Calibration
from edge.model.calibration_file import load_calibration, own_path, save_calibration, shipped_path
from edge.model.manifest import Manifest
from edge.model.taught import Taught
from edge.model.taught_file import save_taught
from edge.settings import CommandSettings, Settings, TargetSettings
from tests.control.test_control_old_lessons import sound

MODELS = Path(__file__).resolve().parents[2] / "models"


def manifest(state: Path) -> Manifest:
    return load_model("starter", state_dir=state).manifest


def test_what_is_shown_is_what_run_would_serve(tmp_path: Path) -> None:
    """`model show` once printed the manifest's thresholds; the calibration that came with the model had others."""
    plan = serving_of(Settings(), tmp_path).plan()
    shown = {each.name: each for each in thresholds(Settings(), tmp_path).targets}
    for served in plan.targets.sounds:
        assert (shown[served.name].threshold, shown[served.name].release_threshold) == (
            served.threshold, served.release_threshold)
    assert {name for name, each in shown.items() if each.standard} == set(plan.targets.names)
    assert {each.name for each in manifest(tmp_path).targets} == shown.keys()
    assert shown["hand_clap"].whence == "the calibration that came with the model"
    assert shown["hand_clap"].threshold != next(
        each.threshold for each in manifest(tmp_path).targets if each.name == "hand_clap")


def test_each_origin_is_named(tmp_path: Path) -> None:
    nothing = Taught.nothing(manifest(tmp_path))
    save_taught(tmp_path, nothing.with_sound(sound("kettle", nothing.columns), "taught kettle"))
    model = load_model("starter", state_dir=tmp_path)
    shipped = load_calibration(shipped_path(MODELS / "starter", "LiteRT"), model.manifest)
    assert shipped is not None
    own = Calibration.new(model).with_targets({"siren": replace(shipped.targets["siren"], made="room")})
    save_calibration(own_path(tmp_path, "starter"), own)
    save_commanded(tmp_path, Commanded().with_threshold("starter", "music", 0.5))
    settings = Settings(command=CommandSettings(("threshold",)), target=(
        TargetSettings(name="hand_clap", threshold=0.9), TargetSettings(name="typing"), TargetSettings(name="siren"),
        TargetSettings(name="music"), TargetSettings(name="kettle"), TargetSettings(name="door_knock")))
    assert {each.name: each.whence for each in thresholds(settings, tmp_path).targets} == {
        "hand_clap": "the settings", "typing": "the calibration that came with the model",
        "siren": "your calibration by the room", "music": "a command", "kettle": "as it was taught",
        "door_knock": "the model's own"}


def test_the_command_prints_them_for_settings_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "edge.toml").write_text('[[target]]\nname = "hand_clap"\nthreshold = 0.9\n')
    assert main(["model", "show", "starter", "--state-dir", str(tmp_path), "--config", str(tmp_path / "edge.toml")]) == 0
    out = capsys.readouterr().out
    assert "hand_clap       threshold 0.900, release 0.450 (the settings): hand_clap\n" in out and "  typing  " not in out
    assert main(["model", "show", "starter", "--state-dir", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "(the calibration that came with the model): hand_clap\n" in out and "25 labels:" in out
