"""`model show` prints the thresholds that serve, and says whence each is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.cli import main
from edge.control.commanded import Commanded, save_commanded
from edge.control.current import serving_of
from edge.control.loading import load_model
from edge.model.calibration import Calibration
from edge.model.calibration_file import load_calibration, own_path, save_calibration, shipped_path
from edge.model.manifest import Manifest
from edge.model.taught import Taught
from edge.model.taught_file import save_taught
from edge.settings import Settings
from tests.control.test_control_old_lessons import sound

MODELS = Path(__file__).resolve().parents[2] / "models"


def manifest(state: Path) -> Manifest:
    return load_model("starter", state_dir=state).manifest


def shown(state: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, str]:
    """The lines of `model show` about targets, by name."""
    assert main(["model", "show", "starter", "--state-dir", str(state), *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0]: line.split(maxsplit=1)[1] for line in lines if line.startswith("  ") and "threshold" in line}


def test_what_is_shown_is_what_run_would_serve(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`model show` once printed the manifest's thresholds; the calibration that came with the model had others."""
    plan = serving_of(Settings(), tmp_path).plan()
    lines = shown(tmp_path, capsys)
    for served in plan.targets.sounds:
        assert lines[served.name].startswith(
            f"threshold {served.threshold:.3f}, release {served.release_threshold:.3f} (")
    for alarm in plan.targets.rhythms:
        assert lines[alarm.name] == (f"threshold 0.500 (the model's own): the rhythm {alarm.rhythm.name} of a tone, "
                                     "whatever the model")
    others = {"key_press", "tap", "smoke_alarm", "co_alarm"}
    assert {each.name for each in manifest(tmp_path).targets} | others == lines.keys()
    assert {name for name, line in lines.items() if "only where" not in line} == set(plan.targets.names)
    assert lines["typing"].endswith("(the calibration that came with the model): typing")
    assert "looks at onsets" in lines["hand_clap"]
    assert any(f"threshold {each.threshold:.3f}" not in lines[each.name] for each in manifest(tmp_path).targets)


def test_each_origin_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    nothing = Taught.nothing(manifest(tmp_path))
    save_taught(tmp_path, nothing.with_sound(sound("kettle", nothing.columns), "taught kettle"))
    model = load_model("starter", state_dir=tmp_path)
    shipped = load_calibration(shipped_path(MODELS / "starter", "LiteRT"), model.manifest)
    assert shipped is not None
    own = Calibration.new(model).with_targets({"siren": replace(shipped.targets["siren"], made="room")})
    save_calibration(own_path(tmp_path, "starter"), own)
    save_commanded(tmp_path, Commanded().with_threshold("starter", "music", 0.5))
    names = ("typing", "siren", "music", "kettle", "door_knock")
    (tmp_path / "edge.toml").write_text(
        '[command]\nallow = ["threshold"]\n[[target]]\nname = "hand_clap"\nthreshold = 0.9\n'
        + "".join(f'[[target]]\nname = "{name}"\n' for name in names))
    lines = shown(tmp_path, capsys, "--config", str(tmp_path / "edge.toml"))
    assert {name: line[line.index("(") + 1:line.index(")")] for name, line in lines.items()} == {
        "hand_clap": "the settings", "typing": "the calibration that came with the model",
        "siren": "your calibration by the room", "music": "a command", "kettle": "as it was taught",
        "door_knock": "the model's own"}
    assert lines["hand_clap"] == "threshold 0.900, release 0.450 (the settings): looks at onsets, whatever the model"
