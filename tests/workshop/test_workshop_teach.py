"""`teach` and `feedback` as their users run them, on recordings that nothing was trained with."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from edge.app import build
from edge.cli import main
from edge.control.loading import load_calibrations, load_model, model_folder
from edge.model.manifest_file import load_manifest
from edge.model.taught import Taught
from edge.model.taught_file import load_taught
from edge.settings import Settings, TargetSettings
from edge.sinks.journal.entries import FILE, recent
from edge.workshop.classify import classify

pytestmark = pytest.mark.big

DEMO = Path(__file__).resolve().parents[2] / "models" / "demo"
TAUGHT_WITH = 12
"""Of the 20 recordings of dropped keys; the others are to be heard."""


def keys(shared: Path) -> list[Path]:
    return sorted((shared / "data" / "eval" / "keys_drop").iterdir())


@pytest.fixture(scope="module")
def taught_state(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = tmp_path_factory.mktemp("state")
    clips = [str(path) for path in keys(shared)[:TAUGHT_WITH]]
    assert main(["teach", "keys", *clips, "--like", "neg_keys_coins", "--state-dir", str(state)]) == 0
    return state


@pytest.fixture
def state(taught_state: Path, tmp_path: Path) -> Path:
    return shutil.copytree(taught_state, tmp_path / "state")


def taught_in(state: Path) -> Taught:
    return load_taught(state, load_manifest(model_folder("starter", state)))


def hear(state: Path, path: Path) -> None:
    """Run the appliance over a recording; its events go to the journal."""
    settings = Settings()
    source = replace(settings.source, kind="file", path=str(path), paced=False)
    build(replace(settings, source=source, log=replace(settings.log, events="")), state).run()


def test_a_taught_sound_is_heard_in_other_recordings(shared: Path, state: Path) -> None:
    model = load_model(state_dir=state)
    served = load_calibrations(model, Settings(), state)
    others = keys(shared)[TAUGHT_WITH:]
    heard = sum("keys" in {event.target for event in classify(
        model, path, calibrations=served.serving, bands=False, embeddings=False).events} for path in others)
    print(f"{heard} of {len(others)} recordings of dropped keys heard, taught with {TAUGHT_WITH} others")
    assert 2 * heard >= len(others)


def test_a_taught_sound_is_measured_under_its_own_name(shared: Path, state: Path, tmp_path: Path,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    speech = sorted((shared / "data" / "eval" / "neg_speech").iterdir())[:2]
    for name, paths in (("keys", keys(shared)[TAUGHT_WITH:]), ("talk", speech)):
        (tmp_path / "clips" / name).mkdir(parents=True)
        for path in paths:
            shutil.copy(path, tmp_path / "clips" / name)
    assert main(["evaluate", str(tmp_path / "clips"), "--format", "json", "--state-dir", str(state)]) == 0
    (name, row), = json.loads(capsys.readouterr().out)["classes"].items()
    assert (name, row["clips"], row["negatives"], row["target"]) == ("keys", 20 - TAUGHT_WITH, 2, "keys")
    assert row["threshold"] == pytest.approx(taught_in(state).sounds[0].threshold, abs=1e-4) and row["heard"] >= 0.5


def test_what_was_taught_is_listed_removed_and_brought_back(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--state-dir", str(state)]
    before = taught_in(state).sounds[0]
    assert main(["teach", "--list", "--format", "json", *more]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["name"] == "keys" and row["recordings"] == TAUGHT_WITH
    # Recordings that sound alike do not vouch for each other.
    assert 1 < row["groups"] < TAUGHT_WITH and 0.2 < row["recall"] < 0.9
    assert main(["teach", "--remove", "keys", *more]) == 0
    assert taught_in(state).sounds == ()
    assert main(["teach", "--undo", *more]) == 0
    assert (taught_in(state).sounds[0].row == before.row).all()
    assert capsys.readouterr().err.count("a running appliance takes it up at `systemctl reload edge-audio` (SIGHUP)") == 2
    assert main(["teach", "--remove", "cat", *more]) == 2


def test_what_cannot_be_taught_is_said_and_nothing_is_kept(shared: Path, tmp_path: Path,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    clips, more = [str(path) for path in keys(shared)], ["--state-dir", str(tmp_path)]
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"RIFF")
    for arguments, words in ((["keys", *clips[:4]], "found 4; wanted 5 to 200"), (["typing", *clips], "a label or target"),
                             (["a/b", *clips], "letters, digits"), (["keys"], "no recording"),
                             (["keys", *clips, str(broken)], "broken.wav"),
                             (["keys", *clips, clips[3]], f"{clips[3]}: found the same sound as {clips[3]}"),
                             (["keys", *clips, "--like", "cat"], "--like cat"), (["--undo"], "nothing taught")):
        assert main(["teach", *arguments, *more]) == 2, arguments
        assert words in capsys.readouterr().err, arguments
    assert main(["teach", "keys", *clips[:6], "--dry-run", "--force", *more]) == 0
    assert not (tmp_path / "taught").exists()


def test_a_wrong_event_of_a_taught_sound_refits_its_row(shared: Path, state: Path) -> None:
    more = ["--state-dir", str(state)]
    for path in keys(shared)[TAUGHT_WITH:]:
        hear(state, path)
    event = next(entry for entry in recent(state / FILE, 50) if entry.target == "keys")
    before = taught_in(state)
    assert main(["feedback", event.id, "wrong", *more]) == 0
    after = taught_in(state)
    assert [(one.event, one.right) for one in after.judgements] == [(event.id, False)]
    assert (after.sounds[0].row != before.sounds[0].row).any()
    assert main(["feedback", "--undo", *more]) == 0
    assert (taught_in(state).sounds[0].row == before.sounds[0].row).all() and not taught_in(state).judgements


def test_an_event_of_the_models_own_gets_a_correction(shared: Path, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--state-dir", str(tmp_path)]
    hear(tmp_path, sorted((shared / "data" / "eval" / "baby_cry").iterdir())[0])
    entries = [entry for entry in recent(tmp_path / FILE, 50) if entry.cells is not None]
    assert entries, "the recording raised no event"
    assert main(["feedback", "--list", *more]) == 0
    assert entries[0].id in capsys.readouterr().out
    for arguments, words in ((["--list", "--target", "siren"], "--target beside --list"),
                             (["--list", "--count", "0"], "--count"), ([entries[0].id, "wrong", "--undo"], "beside --undo")):
        assert main(["feedback", *arguments, *more]) == 2, arguments
        assert words in capsys.readouterr().err, arguments
    assert main(["feedback", entries[0].id, "right", "--target", "siren", *more]) == 0
    capsys.readouterr()
    assert main(["feedback", "--list", *more]) == 0
    assert "right as siren" in capsys.readouterr().out
    assert main(["feedback", "--undo", *more]) == 0
    assert main(["feedback", entries[0].id, "wrong", *more]) == 0
    assert list(taught_in(tmp_path).corrections) == [entries[0].target]
    assert load_calibrations(load_model(state_dir=tmp_path), Settings(), tmp_path).corrections
    assert main(["feedback", "0000zzzz", "wrong", *more]) == 2


def test_events_of_a_model_that_cannot_be_taught_are_listed(
        tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--state-dir", str(tmp_path)]
    exported = tmp_path / "ears.tflite"
    assert main(["model", "export", "starter", "--output", str(exported), *more]) == 0
    assert main(["model", "install", str(exported), "--name", "ears", *more]) == 0
    settings = Settings()
    source = replace(settings.source, kind="file", path=str(DEMO / "claps.wav"), paced=False)
    build(replace(settings, source=source, model=replace(settings.model, name="ears"), log=replace(settings.log, events=""),
                  target=(TargetSettings(name="hand_clap"),)), tmp_path).run()
    capsys.readouterr()
    assert main(["feedback", "--list", "--model", "ears", *more]) == 0
    assert "hand_clap" in capsys.readouterr().out
