"""Which files are recordings: those of a folder, by the endings of their names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from edge.errors import SourceError

SUFFIXES = (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64")


def recordings_in(folder: Path, pattern: str = "**/*", *, wanted: str = "") -> list[Path]:
    """The recordings of a folder and its sub-folders, sorted; a folder called `sub.wav` is none.

    pattern: which of all files to look at, as `Path.glob` takes it. wanted: what to say where there is no
    recording. Raises SourceError for a folder that is missing, that cannot be read, or that holds no
    recording.
    """
    try:
        inside = sorted(path for path in folder.glob(pattern) if path.suffix.lower() in SUFFIXES and path.is_file())
        there = folder.is_dir()
    except OSError as error:
        raise SourceError(str(folder), found=error.strerror or str(error), wanted="a folder of recordings") from error
    if not inside:
        raise SourceError(str(folder), found="a folder without recordings" if there else "no such folder",
                          wanted=wanted or f"a folder with files named {', '.join(SUFFIXES)}")
    return inside


def recordings_of(paths: Iterable[Path]) -> list[Path]:
    """Files as they are, folders by their recordings. Raises SourceError as `recordings_in` does."""
    return [file for path in paths for file in (recordings_in(path) if path.is_dir() else [path])]
