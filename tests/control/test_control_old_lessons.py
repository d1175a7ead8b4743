"""After an update of the model: what was taught and calibrated to the old one is not served, is told, and is not lost."""

from __future__ import annotations

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app import build
from edge.cli.checkup.checkup import check
from edge.control.current import serving_of
from edge.control.loading import load_model, model_folder
from edge.errors import ModelError, SettingsError
from edge.model.calibration import Calibration
from edge.model.calibration_file import own_path, save_calibration
from edge.model.manifest import file_sha256
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught, TaughtCorrection
from edge.model.taught_file import save_taught
from edge.model.taught_steps import taught_folder
from edge.settings import LogSettings, ModelSettings, PinSettings, Settings, SourceSettings, TargetSettings
from edge.workshop.lessons import Lessons
from edge.workshop.session import Session
from tests.fakes import FakeSource
from tests.model.test_model_taught import sound

SETTINGS = Settings(
    model=ModelSettings(name="ears"), log=LogSettings(events=""), source=SourceSettings(kind="file", path="none.wav"),
    target=(TargetSettings(name="hand_clap"), TargetSettings(name="kettle"),
            TargetSettings(name="two_kettles", pattern_of="kettle")),
    pin=(PinSettings(pin="17", target="kettle", factory="simulated"),
         PinSettings(pin="22", target="two_kettles", factory="simulated")))
"""What an owner wrote who taught `kettle`, and has a relay for it."""


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory with the model `ears`; it was taught, judged and calibrated, and then updated."""
    state = tmp_path / "state"
    folder = state / "models" / "ears"
    shutil.copytree(model_folder("starter", tmp_path), folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"name": "ears"}))
    nothing = Taught.nothing(load_manifest(folder))
    kettle = sound("kettle", nothing.columns)
    correction = TaughtCorrection(kettle.row[None], kettle.row[:1])
    save_taught(state, replace(nothing.with_sound(kettle, "taught kettle"), corrections={"hand_clap": correction}))
    save_calibration(own_path(state, "ears"), Calibration.new(load_model("ears", state_dir=state)))
    serving_of(SETTINGS, state).plan()  # it served until the update
    update(folder)
    return state


def update(folder: Path) -> None:
    """Another backbone under the same name: this one runs as the old one does, and has another digest."""
    file = folder / "backbone.tflite"
    file.write_bytes(file.read_bytes() + b"\0")
    for shipped in folder.glob("calibration-*.json"):
        shipped.unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["backbone"] |= {"sha256": file_sha256(file), "bytes": file.stat().st_size}
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_an_appliance_starts_after_an_update_of_its_model(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The start once ended: `sounds taught to ears: found backbone ...`, and systemd tried again for ever."""
    appliance = build(SETTINGS, state, source=FakeSource([]))
    assert appliance.listener.targets.names == ("hand_clap",)
    problems = appliance.steering.about()["calibration"]["problems"]  # type: ignore[index]
    taught, calibration = problems
    assert "what ears was taught (kettle, feedback on hand_clap): made for another backbone" in taught
    assert "(edge-audio teach --start-afresh --model ears sets it aside; then teach and judge again)" in taught
    assert "made for another backbone" in calibration and "(edge-audio calibrate --model ears)" in calibration
    assert [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING][:2] == problems
    appliance.run()
    assert "kettle" not in appliance.listener.targets.names


def test_check_says_what_is_not_served_and_what_mends_it(state: Path) -> None:
    told = list(check(SETTINGS, state))
    wrong = {finding.text.partition(":")[0]: finding for finding in told if not finding.ok and finding.part == "calibration"}
    taught = wrong["what ears was taught (kettle, feedback on hand_clap)"]
    assert taught.advice.startswith("edge-audio teach --start-afresh --model ears")
    assert any(finding.advice == "edge-audio calibrate --model ears" for finding in wrong.values())
    assert [finding.text.partition(":")[0] for finding in told if finding.part == "target"] == ["hand_clap"]
    assert next(finding for finding in told if finding.part == "model").ok
    assert all(finding.ok for finding in told if finding.part == "pins")


def test_where_all_that_is_wanted_was_taught_to_the_old_model_nothing_else_is_heard_instead(state: Path) -> None:
    """Standard targets stand in for settings that name none; these name one, which waits for its lesson."""
    serving = serving_of(replace(SETTINGS, target=SETTINGS.target[1:]), state)
    assert serving.plan().targets.names == ()
    build(replace(SETTINGS, target=SETTINGS.target[1:]), state, source=FakeSource([])).run()


def test_a_pin_that_waits_for_nothing_still_ends_the_start(state: Path) -> None:
    pin = PinSettings(pin="4", target="kettel", factory="simulated")
    with pytest.raises(SettingsError, match="kettel"):
        serving_of(replace(SETTINGS, target=(), pin=(pin,)), state).plan()


def test_teach_and_feedback_refuse_and_name_the_way_out(state: Path) -> None:
    before = [path.read_bytes() for path in taught_folder(state, "ears").iterdir()]
    with pytest.raises(ModelError, match="edge-audio teach --start-afresh --model ears"):
        Lessons("ears", model_folder("ears", state), state)
    assert [path.read_bytes() for path in taught_folder(state, "ears").iterdir()] == before


def test_calibrate_keeps_the_old_calibration_aside(state: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A calibration of the old model was once written over without a word."""
    old = own_path(state, "ears").read_bytes()
    shutil.rmtree(taught_folder(state, "ears"))
    model = load_model("ears", state_dir=state)
    session = Session.open(model, replace(SETTINGS, target=(), pin=()), state, budget=None)  # type: ignore[arg-type]
    session.save({})
    aside = own_path(state, "ears").with_name("ears.json.aside-1")
    assert aside.read_bytes() == old and str(aside) in caplog.text
    assert own_path(state, "ears").read_bytes() != old


def test_a_label_of_the_new_model_hides_the_taught_sound_of_its_name_alone(tmp_path: Path) -> None:
    manifest = load_manifest(model_folder("starter", tmp_path))
    taught = Taught.nothing(manifest)
    for name in ("typing", "kettle"):
        taught = taught.with_sound(sound(name, taught.columns), f"taught {name}")
    save_taught(tmp_path, taught)
    serving = serving_of(replace(SETTINGS, model=ModelSettings(), target=(), pin=()), tmp_path)
    assert {"typing", "kettle"} <= set(serving.plan().targets.names)
    assert "edge-audio teach --remove typing --model starter" in serving.calibrations.problems[0]
