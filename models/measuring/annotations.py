"""Scenes: recordings whose sounds are annotated with onset, offset and label. Read with every line checked."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SourceError
from edge.learn.classes import SoundClass
from edge.learn.recording_files import recordings_in

TABLE = "annotations.csv"
"""One table for all recordings of a folder, with the columns file, onset, offset and label."""
KINDS = "scenes.csv"
"""A table with the column scene (a recording's name without suffix) and others that say what kind each is."""
_COLUMNS = ("file", "onset", "offset", "label")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A sound in a scene: seconds from its start, and what it is (a class of clips, or a target's name)."""

    onset_seconds: float
    offset_seconds: float
    label: str


@dataclass(frozen=True, slots=True)
class Scene:
    """A recording and all that is annotated in it, in the order of onsets."""

    path: Path
    annotations: tuple[Annotation, ...]


def find_scenes(folder: Path) -> list[Scene]:
    """Recordings of a folder with their annotations: `annotations.csv` for all of them, or beside each a .txt
    or .tsv of the same name with tab-separated onset, offset and label.

    Raises SourceError for a folder without scenes, a recording without annotations, annotations without a
    recording, and a line that is not understood.
    """
    recordings = recordings_in(folder, "*", wanted="a folder of recordings with annotations beside them")
    if (folder / TABLE).is_file():
        return _from_table(folder / TABLE, recordings)
    return [Scene(path, _beside(path)) for path in recordings]


def _beside(path: Path) -> tuple[Annotation, ...]:
    for suffix in (".txt", ".tsv"):
        if path.with_suffix(suffix).is_file():
            file = path.with_suffix(suffix)
            lines = enumerate(_text(file).splitlines(), 1)
            return _ordered(_annotation(f"{file}: line {number}", line.split("\t"))
                            for number, line in lines if line.strip() and not _is_heading(line))
    raise SourceError(str(path), found="no annotations", wanted=f"{path.stem}.txt or .tsv beside it, or {TABLE}")


def _is_heading(line: str) -> bool:
    return [word.strip().lower() for word in line.split("\t")][:2] == ["onset", "offset"]


def _from_table(table: Path, recordings: Sequence[Path]) -> list[Scene]:
    reader = csv.DictReader(io.StringIO(_text(table), newline=""))
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise SourceError(str(table), found=f"columns {', '.join(reader.fieldnames or ()) or 'none'}",
                          wanted=f"the columns {', '.join(_COLUMNS)}")
    found: dict[str, list[Annotation]] = {path.name: [] for path in recordings}
    try:
        for row in reader:
            thing = f"{table}: row {reader.line_num}"
            if row["file"] not in found:
                raise SourceError(thing, found=f"file {row['file']!r}", wanted=f"a recording in {table.parent}")
            found[row["file"]].append(_annotation(thing, [row["onset"], row["offset"], row["label"]]))
    except csv.Error as error:
        raise SourceError(f"{table}: row {reader.line_num + 1}", found=str(error), wanted="a row of CSV") from error
    return [Scene(path, _ordered(found[path.name])) for path in recordings]


def _annotation(thing: str, words: Sequence[str | None]) -> Annotation:
    texts = [(word or "").strip() for word in words]
    try:
        onset, offset, label = float(texts[0]), float(texts[1]), texts[2]
    except (ValueError, IndexError) as error:
        raise SourceError(thing, found=repr(" ".join(texts))[:60],
                          wanted="onset and offset in seconds, and a label") from error
    if not (0.0 <= onset <= offset and math.isfinite(offset)) or not label:
        raise SourceError(thing, found=repr(" ".join(texts))[:60],
                          wanted="an onset from 0, an offset that is not before it, and a label")
    return Annotation(onset, offset, label)


def _ordered(annotations: Iterable[Annotation]) -> tuple[Annotation, ...]:
    return tuple(sorted(annotations, key=lambda one: (one.onset_seconds, one.offset_seconds, one.label)))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(str(path), found=error.strerror or str(error), wanted="annotations that can be read") from error
    except UnicodeDecodeError as error:
        raise SourceError(str(path), found="bytes that are no UTF-8", wanted="annotations in UTF-8") from error


def kinds_of(folder: Path, scenes: Sequence[Scene], column: str) -> list[str]:
    """What the folder's table of KINDS says of each scene in one column.

    Raises SourceError where the table, the column or a scene's row is missing.
    """
    table = folder / KINDS
    reader = csv.DictReader(io.StringIO(_text(table), newline=""))
    if not {"scene", column} <= set(reader.fieldnames or ()):
        raise SourceError(str(table), found=f"columns {', '.join(reader.fieldnames or ()) or 'none'}",
                          wanted=f"the columns scene and {column}")
    said = {row["scene"]: row[column] or "" for row in reader}
    for scene in scenes:
        if scene.path.stem not in said:
            raise SourceError(str(table), found=f"no row of {scene.path.stem}", wanted="a row of each scene")
    return [said[scene.path.stem] for scene in scenes]


def in_order(kinds: Iterable[str]) -> list[str]:
    """Each kind once: by number where all are numbers, else by name."""
    different = sorted(set(kinds))  # "12" and "12.0" are two, and in this order in every run
    try:
        return sorted(different, key=float)
    except ValueError:
        return different


def names_for(target: str, labels: Iterable[str], classes: Iterable[SoundClass]) -> tuple[frozenset[str], frozenset[str]]:
    """The labels of annotations that are a target's sound, and those that may be, which count neither way.

    target: its name. labels: the model's labels that make the target. A class is the target's if they share a
    label.
    """
    own = {target}
    beside: set[str] = set()
    for entry in classes:
        if set(entry.labels) & set(labels):
            own |= {entry.name, *entry.clips}
            beside |= set(entry.beside)
    return frozenset(own), frozenset(beside - own)
