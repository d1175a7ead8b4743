"""Labelled recordings: those of two folders, of a folder for each class, or of a manifest."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SourceError
from edge.learn.classes import SoundClass, load_classes
from edge.learn.recording_files import recordings_in
from edge.model.embedded import embedded_folder

GROUP_COLUMNS = ("group", "source", "source_repo")
"""Columns of a manifest that say which recordings belong together. Of several the first one here counts."""


@dataclass(frozen=True, slots=True)
class Clip:
    """One labelled recording.

    name: its class, as the folder or the manifest says. source: where the recording is from; empty where
    nobody says.
    """

    path: Path
    name: str
    source: str = ""

    @property
    def group(self) -> str:
        """Recordings of one group depend on one another. One without a source is a group by itself."""
        return self.source or str(self.path)


@dataclass(frozen=True, slots=True)
class LabelledClips:
    """Labelled recordings. classes: the table; None where a clip is called "with" or "without" instead.

    where: the folder, folders or manifest of them, for messages.
    """

    clips: tuple[Clip, ...]
    classes: tuple[SoundClass, ...] | None
    where: str

    def sides(self, target: str, labels: Sequence[str]) -> tuple[tuple[bool | None, ...], str]:
        """For each clip True (holds the target), False, or None (may hold it); and what is missing, or ""."""
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
    clips = [Clip(path, name, str(path.parent) if path.parent != folder else "")
             for name, folder in (("with", positives), ("without", negatives)) for path in recordings_in(folder)]
    inside = {clip.path.resolve() for clip in clips if clip.name == "with"}
    twice = [clip.path for clip in clips if clip.name == "without" and clip.path.resolve() in inside]
    if twice:
        raise SourceError(str(twice[0]), found="among the positives and the negatives", wanted="one of them")
    return LabelledClips(tuple(clips), None, f"{positives} and {negatives}")


def labelled_by_class(source: Path, *, split: str = "", classes: Path | None = None) -> LabelledClips:
    """Recordings as `find_clips` finds them. classes: the table; None: the one that the program brings.

    Raises SourceError as `find_clips` does, SettingsError for a broken table.
    """
    table = load_classes(classes or embedded_folder() / "classes.toml")
    return LabelledClips(tuple(find_clips(source, split=split)), table, str(source))


def find_clips(source: Path, *, split: str = "", only: Sequence[str] = ()) -> list[Clip]:
    """Clips of a folder (one sub-folder for each class) or of a manifest: CSV with the columns path and
    class, and perhaps split and one of GROUP_COLUMNS.

    split: rows of the manifest whose column `split` says this; only: these classes. Raises SourceError for
    neither a folder nor a manifest, for a row without path or class, and for a split or class that no clip
    has.
    """
    try:
        folder, file = source.is_dir(), source.is_file()
    except OSError as error:
        raise _unread(source, error) from error
    if folder:
        if split:
            raise SourceError("--split", found=f"{source}, a folder", wanted="a CSV manifest with the column split")
        found = [Clip(path, path.parent.name) for path in
                 recordings_in(source, "*/*", wanted="recordings in sub-folders, one for each class")]
    elif file:
        found = _manifest_clips(source, split)
    else:
        raise SourceError(str(source), found="no such file or folder", wanted="a folder of classes or a CSV manifest")
    names = {clip.name for clip in found}
    for name in only:
        if name not in names:
            raise SourceError(f"--class {name}", found=f"no clip of it in {source}",
                              wanted=f"one of {', '.join(sorted(names))}")
    return [clip for clip in found if not only or clip.name in only]


def _manifest_clips(source: Path, split: str) -> list[Clip]:
    try:
        # Excel begins its CSV with a byte order mark, which would be part of the first column's name.
        text = source.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise _unread(source, error) from error
    except UnicodeDecodeError as error:
        raise SourceError(str(source), found="bytes that are no UTF-8", wanted="a CSV manifest in UTF-8") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        columns = reader.fieldnames or ()
        needed = ("path", "class", "split") if split else ("path", "class")
        if not set(needed) <= set(columns):
            raise SourceError(str(source), found=f"columns {', '.join(columns) or 'none'}",
                              wanted="a CSV manifest with the columns path" + (
                                  ", class and split (--split)" if split else " and class"))
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:  # the reader has counted the rows before it
        raise SourceError(f"{source}: row {reader.line_num + 1}", found=str(error), wanted="a row of CSV") from error
    if split:
        splits = {row["split"] or "" for _, row in rows}
        if split not in splits:
            raise SourceError(f"--split {split}", found=f"no such row in {source}",
                              wanted=f"one of {', '.join(sorted(filter(None, splits))) or 'none'}")
        rows = [(number, row) for number, row in rows if row["split"] == split]
    for number, row in rows:
        for column in ("path", "class"):
            if not row[column]:
                raise SourceError(f"{source}: row {number}", found=f"no {column}", wanted=f"a {column} in each row")
    if not rows:
        raise SourceError(str(source), found="no clip", wanted="rows in the manifest")
    group = next((name for name in GROUP_COLUMNS if name in columns), None)
    return [Clip(source.parent / row["path"], row["class"], (row[group] or "") if group else "") for _, row in rows]


def _unread(source: Path, error: OSError) -> SourceError:
    return SourceError(str(source), found=error.strerror or str(error), wanted="a folder or manifest that can be read")
