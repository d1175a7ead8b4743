"""What was said of events, read without NumPy: what the whole file says, step by step, and nothing of a damaged one."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.control.loading import model_folder
from edge.errors import ModelError
from edge.model import judged
from edge.model.judged import JudgedEvents, judged_in
from edge.model.manifest import Manifest
from edge.model.manifest_file import load_manifest
from edge.model.taught_file import load_taught, save_taught, undo_taught
from tests.model.test_model_taught import full

SAID = {("event", "hand_clap"): "wrong", ("other", "hand_clap"): "right"}


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return load_manifest(model_folder("starter", tmp_path))


def test_it_is_what_the_whole_file_says(tmp_path: Path, manifest: Manifest) -> None:
    said = judged_in(save_taught(tmp_path, full(manifest)))
    assert said == SAID
    assert said == {(one.event, one.target): "right" if one.right else "wrong"
                    for one in load_taught(tmp_path, manifest).judgements}


def test_a_file_is_read_only_where_a_step_was_added_or_taken_back(tmp_path: Path, manifest: Manifest,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Path] = []
    monkeypatch.setattr(judged, "judged_in", lambda step: read.append(step) or judged_in(step))
    events = JudgedEvents(tmp_path, "starter")
    assert events.now() == {}
    first = full(manifest)
    save_taught(tmp_path, replace(first, judgements=first.judgements[:1]))
    assert events.now() == {("event", "hand_clap"): "wrong"} and events.now() is events.now()
    save_taught(tmp_path, first)
    assert events.now() == SAID
    undo_taught(tmp_path, "starter")
    assert events.now() == {("event", "hand_clap"): "wrong"}
    assert [step.name for step in read] == ["000001.npz", "000002.npz", "000001.npz"]
    undo_taught(tmp_path, "starter")
    assert events.now() == JudgedEvents(tmp_path, "yamnet").now() == JudgedEvents(tmp_path, "./starter").now() == {}


@pytest.mark.parametrize("harm", ["cut", "no zip", "no words", "numbers"])
def test_a_damaged_file_is_told_once_and_hides_nothing_else(harm: str, tmp_path: Path, manifest: Manifest,
                                                           caplog: pytest.LogCaptureFixture) -> None:
    step = save_taught(tmp_path, full(manifest))
    if harm == "cut":
        step.write_bytes(step.read_bytes()[:-100])
    elif harm == "no zip":
        step.write_bytes(b"no zip")
    else:
        np.savez(step, **{"about" if harm == "numbers" else "others": np.arange(3)})
    with pytest.raises(ModelError, match=r"000001\.npz: found nothing that can be read"):
        judged_in(step)
    events = JudgedEvents(tmp_path, "starter")
    with caplog.at_level(logging.ERROR):
        assert events.now() == events.now() == {}
    assert len(caplog.records) == 1 and "teach --undo" in caplog.text


@pytest.mark.big
def test_reading_it_loads_no_numpy(tmp_path: Path, manifest: Manifest) -> None:
    """The page is small because of that: NumPy alone takes as much memory as the page at its door."""
    save_taught(tmp_path, full(manifest))
    program = ("import sys\nfrom pathlib import Path\nfrom edge.model.judged import JudgedEvents\n"
               "print(len(JudgedEvents(Path(sys.argv[1]), 'starter').now()), 'numpy' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "2 False\n"
