"""`teach` of sounds without length, as owners run it: looks decide them, and a target of the model's own is added to.

Recordings of one person's claps (eval), which trained nothing.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.control.loading import find_model, load_calibrations, load_model
from edge.decision.resolve import resolve_targets
from edge.model.taught_file import newest_taught
from edge.settings import LogSettings, Settings, SourceSettings, TargetSettings
from edge.sinks.journal.entries import FILE, recent
from edge.sources.recording import open_recording
from edge.workshop.classify import classify
from edge.workshop.feedback import take_in
from edge.workshop.recordings import samples_of
from tests.cli.test_cli import write_wav

pytestmark = pytest.mark.big

TAUGHT_WITH, OTHERS = 5, 15
RATE = 16_000
PERSON = "VegardMosand-clap-detector__"


def claps(shared: Path) -> list[Path]:
    return sorted(path for path in (shared / "data" / "eval" / "hand_clap").iterdir() if path.name.startswith(PERSON))


def samples_in(path: Path) -> np.ndarray:
    with open_recording(path) as source:
        return np.concatenate(list(samples_of(source.blocks()))).astype(np.float64)


@pytest.fixture(scope="module")
def noisy(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Other claps of the same person, over noise 20 dB under their loudest 20 ms."""
    folder, rng, made = tmp_path_factory.mktemp("noisy"), np.random.default_rng(1), []
    for path in claps(shared)[TAUGHT_WITH: TAUGHT_WITH + OTHERS]:
        samples = np.concatenate((np.zeros(RATE), samples_in(path), np.zeros(RATE)))
        loudest = np.sqrt(np.convolve(samples**2, np.full(320, 1 / 320), "valid").max())
        over = np.clip(np.rint(samples + rng.normal(0.0, loudest / 10.0, len(samples))), -32_768, 32_767)
        made.append(folder / f"{path.stem}.wav")
        write_wav(made[-1], over.astype(np.int16))
    return made


@pytest.fixture(scope="module")
def taught(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state in which hand_clap was added to, and my_clap taught."""
    state = tmp_path_factory.mktemp("state")
    for name in ("hand_clap", "my_clap"):
        assert main(["teach", name, *map(str, claps(shared)[:TAUGHT_WITH]), "--state-dir", str(state)]) == 0
    return state


def heard(state: Path, paths: list[Path], target: str, settings: tuple[TargetSettings, ...] = ()) -> int:
    model = load_model(state_dir=state)
    served = load_calibrations(model, Settings(), state)
    return sum(target in {event.target for event in classify(
        model, path, calibrations=served.serving, targets=settings, bands=False, embeddings=False).events} for path in paths)


def test_added_claps_are_heard_where_the_models_own_are_not(noisy: list[Path], taught: Path, tmp_path: Path) -> None:
    only = (TargetSettings(name="hand_clap"),)
    before, after = heard(tmp_path, noisy, "hand_clap", only), heard(taught, noisy, "hand_clap", only)
    print(f"{before} of {len(noisy)} without, {after} with the person's claps")
    assert after >= before + 2


def test_a_clap_of_ones_own_is_decided_by_looks_before_the_models(noisy: list[Path], taught: Path) -> None:
    assert 2 * heard(taught, noisy, "my_clap") >= len(noisy)


def test_what_looks_were_taught_is_heard_without_settings_and_said(taught: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_model(state_dir=taught)
    targets = {one.name: one for one in resolve_targets((), model.labels, model.targets, offers=model.offers).sounds}
    assert targets["my_clap"].looked and targets["my_clap"].taught and targets["hand_clap"].added is not None
    assert main(["teach", "--list", "--format", "csv", "--state-dir", str(taught)]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert [line.split(",")[:3] for line in listed[1:]] == [["hand_clap", "impulsive", "looks"],
                                                            ["my_clap", "impulsive", "looks"]]
    assert main(["model", "show", "starter", "--state-dir", str(taught)]) == 0
    shown = next(line for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["my_clap"])
    assert "as it was taught" in shown and "only where" not in shown


def test_undo_and_remove_leave_the_models_own(taught: Path, shared: Path, tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str]) -> None:
    teach = ["teach", "hand_clap", *map(str, claps(shared)[:TAUGHT_WITH]), "--state-dir", str(tmp_path)]
    assert main(teach) == 0
    assert "adds to the model's own hand_clap" in capsys.readouterr().out
    assert main(["teach", "--remove", "hand_clap", "--state-dir", str(tmp_path)]) == 0
    offer = next(one for one in find_model("starter", tmp_path).offers if one.name == "hand_clap")
    assert offer.added is None
    assert main(["teach", "--undo", "--state-dir", str(tmp_path)]) == 0
    again = newest_taught(tmp_path, "starter")
    assert again is not None and [look.name for look in again.looks] == ["hand_clap"]
    offer = next(one for one in find_model("starter", tmp_path).offers if one.name == "hand_clap")
    assert offer.added is not None


def test_labels_in_the_settings_keep_the_patches(taught: Path) -> None:
    named = find_model("starter", taught)
    asked = named.ask([TargetSettings(name="hand_clap", labels=("hand_clap",))])
    assert asked.sounds[0].offer is None and asked.sounds[0].labels == ("hand_clap",)


def test_only_a_taught_sound_without_length_may_be_heard(noisy: list[Path], taught: Path) -> None:
    """No row of the head is in use then."""
    assert heard(taught, noisy[:3], "my_clap", (TargetSettings(name="my_clap"),)) >= 1


def test_a_label_of_the_models_is_no_name_for_a_sound_with_length(shared: Path, tmp_path: Path,
                                                                  capsys: pytest.CaptureFixture[str]) -> None:
    clips = [str(path) for path in claps(shared)[:TAUGHT_WITH]]
    assert main(["teach", "hand_clap", *clips, "--sound", "lasting", "--state-dir", str(tmp_path)]) == 2
    assert "found a sound that lasts; wanted short ones, as hand_clap is without length" in capsys.readouterr().err


def events_of(state: Path, paths: list[Path], target: str) -> list[str]:
    """Ids of the events of a target that the appliance raises of recordings, each heard as a stream of its own."""
    settings = Settings(log=LogSettings(events=""), target=(TargetSettings(name=target),))
    for path in paths:
        build(replace(settings, source=SourceSettings(kind="file", path=str(path), paced=False)), state).run()
    return [entry.id for entry in reversed(recent(state / FILE, 1_000)) if entry.target == target]


@pytest.mark.parametrize("target", ["my_clap", "hand_clap"])
def test_feedback_on_what_looks_were_taught_silences_an_event(noisy: list[Path], taught: Path, tmp_path: Path,
                                                              target: str) -> None:
    """A sound of one's own is fitted again; what was added to the model's own gets the target's veto."""
    state = shutil.copytree(taught, tmp_path / "state")
    path = next(path for path in noisy if heard(state, [path], target, (TargetSettings(name=target),)))
    events, settings = events_of(state, [path], target), Settings(target=(TargetSettings(name=target),))
    before = newest_taught(state, "starter")
    judged = take_in(settings, state, events[0], right=False, force=True)
    assert (judged.target, judged.wrong, judged.silenced) == (target, 1, 1)
    silenced = len(events_of(state, [path], target))
    assert silenced < 2 * len(events), "with those of before"
    after = newest_taught(state, "starter")
    assert before is not None and after is not None
    changed = [bool((old.row != new.row).any()) for old, new in zip(before.looks, after.looks, strict=True)]
    assert changed == [False, target == "my_clap"]
    assert list(after.look_corrections) == ([] if target == "my_clap" else ["hand_clap"])
    assert all((old.cells == new.cells).all() for old, new in zip(before.looks, after.looks, strict=True))
    assert main(["feedback", "--undo", "--state-dir", str(state)]) == 0
    assert len(events_of(state, [path], target)) == silenced + len(events)


def test_right_events_are_further_recordings_of_a_taught_sound(noisy: list[Path], taught: Path, tmp_path: Path) -> None:
    """Claps that the model's own target heard, said to be mine."""
    state, settings = shutil.copytree(taught, tmp_path / "state"), Settings(
        target=(TargetSettings(name="hand_clap"), TargetSettings(name="my_clap")))
    before = heard(state, noisy, "my_clap", (TargetSettings(name="my_clap"),))
    for event in events_of(state, noisy, "hand_clap")[:4]:
        judged = take_in(settings, state, event, right=True, target="my_clap")
    assert (judged.target, judged.right, judged.present) == ("my_clap", 4, TAUGHT_WITH + 4) and judged.supported >= 3
    assert heard(state, noisy, "my_clap", (TargetSettings(name="my_clap"),)) >= before
    mine = newest_taught(state, "starter")
    assert mine is not None and mine.looks[1].foreseen.clips == TAUGHT_WITH + 4


def test_what_lasts_cannot_be_added_to_a_target_without_length(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clips = [tmp_path / f"hum{number}.wav" for number in range(5)]
    tone = np.sin(2.0 * np.pi * np.arange(3 * RATE) * 440.0 / RATE) * np.clip(np.arange(3 * RATE) / RATE, 0.0, 1.0)
    for number, clip in enumerate(clips):
        write_wav(clip, np.rint((3_000.0 + 1_000.0 * number) * tone).astype(np.int16))
    assert main(["teach", "hand_clap", *map(str, clips), "--state-dir", str(tmp_path)]) == 2
    assert "found a sound that lasts; wanted short ones, as hand_clap is without length" in capsys.readouterr().err
    assert newest_taught(tmp_path, "starter") is None
