"""Folders of recordings: which of what lies in them is taken for a recording."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.cli import main
from edge.errors import SourceError
from edge.learn.labelled_clips import find_clips, labelled_by_side
from edge.learn.recording_files import recordings_in, recordings_of

CLAPS = Path(__file__).resolve().parents[2] / "models" / "demo" / "claps.wav"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of two recordings, one of them in a sub-folder that is called as recordings are."""
    sounds = tmp_path / "sounds"
    (sounds / "sub.wav").mkdir(parents=True)
    for path in (sounds / "a.wav", sounds / "sub.wav" / "b.WAV", sounds / "notes.txt"):
        shutil.copy(CLAPS, path)
    return sounds


@pytest.mark.big
def test_a_folder_that_is_called_as_a_recording_ends_no_scan(folder: Path, tmp_path: Path,
                                                             capsys: pytest.CaptureFixture[str]) -> None:
    """A recorder made a folder `sub.wav`; `classify sounds/` ended with "found a folder; wanted a file"."""
    assert main(["classify", str(folder), "--top", "1", "--state-dir", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "a.wav  (" in said.out and "b.WAV  (" in said.out and not said.err
    room = ["--room", str(folder), "--target", "hand_clap", "--dry-run", "--state-dir", str(tmp_path)]
    assert main(["calibrate", *room]) == 0
    assert [clip.path.name for clip in find_clips(folder.parent)] == ["a.wav"], "the class is `sounds`, sub.wav no clip"
    assert [clip.path.name for clip in find_clips(folder)] == ["b.WAV"], "the class is `sub.wav`"
    (tmp_path / "other").mkdir()
    shutil.copy(CLAPS, tmp_path / "other" / "c.wav")
    assert len(labelled_by_side(folder, tmp_path / "other").clips) == 3


def test_files_are_taken_as_they_are_and_folders_by_their_recordings(folder: Path) -> None:
    inside = [folder / "a.wav", folder / "sub.wav" / "b.WAV"]
    assert recordings_in(folder) == inside
    assert recordings_of([folder / "notes.txt", folder]) == [folder / "notes.txt", *inside]
    assert recordings_of([folder / "none.wav"]) == [folder / "none.wav"], "whoever opens it says what is wrong"


def test_a_folder_without_recordings_is_said(tmp_path: Path) -> None:
    (tmp_path / "sub.wav").mkdir()
    with pytest.raises(SourceError, match=r"found a folder without recordings; wanted a folder with files named \.wav, "):
        recordings_of([tmp_path])
    with pytest.raises(SourceError, match="none: found no such folder"):
        recordings_in(tmp_path / "none")
    with pytest.raises(SourceError, match="wanted recordings in sub-folders, one for each class"):
        find_clips(tmp_path)
