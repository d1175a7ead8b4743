"""Which recordings hold a target: two folders, or classes of a folder or manifest."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SourceError
from edge.learn.classes import SoundClass, load_classes
from edge.learn.evaluate import find_clips
from edge.learn.recording_files import recordings_in
from edge.model.embedded import embedded_folder

GROUP_COLUMNS = ("group", "source", "source_repo")
"""Columns of a manifest that say which recordings belong together; the first that is there."""


@dataclass(frozen=True, slots=True)
class LabelledClip:
    """name: the class; group: recordings of one group are not independent of one another."""

    path: Path
    name: str
    group: str


@dataclass(frozen=True, slots=True)
class LabelledClips:
    """Recordings, and what they hold. classes: None where their names "with" and "without" say it."""

    clips: tuple[LabelledClip, ...]
    classes: tuple[SoundClass, ...] | None
    where: str

    def sides(self, target: str, labels: Sequence[str]) -> tuple[tuple[bool | None, ...], str]:
        """For each clip True (holds the target), False, or None (may hold it too); and what was missing, if anything was."""
        if self.classes is None:
            return tuple(clip.name == "with" for clip in self.clips), ""
        own = [entry for entry in self.classes if set(entry.labels) & set(labels)]
        held = {target, *labels, *(name for entry in own for name in entry.clips)}
        beside = {name for entry in own for name in entry.beside} - held
        sides = tuple(True if clip.name in held else None if clip.name in beside else False for clip in self.clips)
        return sides, "" if any(sides) else f"no recording of {', '.join(sorted(held))}"


def labelled_by_side(positives: Path, negatives: Path) -> LabelledClips:
    """Recordings under two folders; sub-folders are sources, whose recordings belong together.

    Raises SourceError for a folder without recordings, and for one that holds the other.
    """
    if positives.resolve() == negatives.resolve():
        raise SourceError("--positives and --negatives", found=f"{positives} twice", wanted="two folders")
    clips = [LabelledClip(path, name, str(path.parent if path.parent != folder else path))
             for name, folder in (("with", positives), ("without", negatives)) for path in recordings_in(folder)]
    inside = {clip.path.resolve() for clip in clips if clip.name == "with"}
    twice = [clip.path for clip in clips if clip.name == "without" and clip.path.resolve() in inside]
    if twice:
        raise SourceError(str(twice[0]), found="among the positives and the negatives", wanted="one of them")
    return LabelledClips(tuple(clips), None, f"{positives} and {negatives}")


def labelled_by_class(source: Path, *, split: str = "", classes: Path | None = None) -> LabelledClips:
    """Recordings of a folder (one sub-folder for each class) or of a manifest (CSV: path, class, and perhaps group).

    classes: table of which labels stand for which class; None: the one that comes with the program. Raises SourceError
    as `find_clips` does, SettingsError for a broken table.
    """
    table = load_classes(classes or embedded_folder() / "classes.toml")
    found = find_clips(source, split=split)
    group_of = _groups(source) if source.is_file() else {}
    return LabelledClips(tuple(LabelledClip(clip.path, clip.name, group_of.get(clip.path, str(clip.path)))
                               for clip in found), table, str(source))


def _groups(manifest: Path) -> Mapping[Path, str]:
    rows = list(csv.DictReader(io.StringIO(manifest.read_text(encoding="utf-8-sig"), newline="")))
    column = next((name for name in GROUP_COLUMNS if rows and name in rows[0]), None)
    if column is None:
        return {}
    return {manifest.parent / row["path"]: row[column] or row["path"] for row in rows}
