"""The calibrations that come with models fit the models that they come with, rows and all."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.control.calibrations import calibrations_for
from edge.control.loading import load_model
from edge.decision.resolve import ask
from edge.model.calibration_file import load_calibration, shipped_path
from edge.model.classifier import Model
from edge.settings import TargetSettings
from edge.workshop.models.install import Installer

MODELS = Path(__file__).resolve().parents[2] / "models"


def fits(model: Model, directory: Path, state_dir: Path, *, at_least: int) -> None:
    """Every entry serves: none is for labels or rows that the model no longer has."""
    runtime = model.runtime_name.rsplit(" ", 1)[0]
    shipped = load_calibration(shipped_path(directory, runtime), model.manifest)
    if shipped is None:
        pytest.skip(f"{model.manifest.name} comes without a calibration for {runtime}")
    assert shipped.problem(model) == ""
    wanted = [TargetSettings(name=name) for name in shipped.targets]
    found = calibrations_for(model, ask(wanted, model.labels, model.targets), directory=directory, state_dir=state_dir)
    assert found.problems == ()
    assert set(found.entries) == set(shipped.targets), "calibrated before the rows were fitted: run models/calibrate.py"
    assert len(found.entries) >= at_least and {"hand_clap", "typing"} <= set(found.entries)
    for entry in found.entries.values():
        assert entry.made == "shipped" and entry.expected.alarms_per_day <= entry.budget_per_day * (1 + 1e-6)


def test_the_starters_calibration_is_of_its_rows(tmp_path: Path) -> None:
    fits(load_model("starter", state_dir=tmp_path), MODELS / "starter", tmp_path, at_least=20)


@pytest.mark.big
def test_yamnets_calibration_is_of_the_rows_that_are_installed_with_it(yamnet_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert", reason="splitting YAMNet needs LiteRT")
    directory = Installer(tmp_path).install(yamnet_file)
    fits(load_model("yamnet", state_dir=tmp_path), directory, tmp_path, at_least=10)


def test_no_two_folders_of_scripts_have_a_module_of_one_name() -> None:
    # models/yamnet stands on models/starter: both are on the path, and the first of two namesakes would hide the other.
    starter, yamnet = ({path.stem for path in (MODELS / name).glob("*.py")} for name in ("starter", "yamnet"))
    assert starter & yamnet <= {"train"}, "train.py is only ever run"
