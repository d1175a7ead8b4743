"""Classes of sound to measure a model on: a table (models/classes.toml), and a model's own labels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edge.errors import SettingsError, shown
from edge.model.table import toml_document

_LISTS = {"clips": True, "labels": True, "beside": False}
"""Keys of a class, and whether each must be there."""


@dataclass(frozen=True, slots=True)
class SoundClass:
    """Which clips hold a sound, and which labels stand for it.

    clips: names of folders, or of classes in a manifest, whose clips are of this class. labels: of any model.
    beside: names whose clips may hold the sound too, and so count neither for it nor against it.
    """

    name: str
    clips: tuple[str, ...]
    labels: tuple[str, ...]
    beside: tuple[str, ...]

    def holds(self, name: str) -> bool | None:
        """Whether a clip of this name holds the sound; None where it may."""
        return True if name in self.clips else None if name in self.beside else False


def load_classes(path: Path) -> tuple[SoundClass, ...]:
    """Read the table of sound classes; clips that are called as a class itself are of that class.

    Raises SettingsError naming file, key, found and wanted.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(str(path), found=error.strerror or str(error), wanted="a table of classes") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), found="bytes that are no UTF-8", wanted="a table of classes in TOML") from error
    table = toml_document(text, str(path), error=SettingsError, wanted="a table of classes in TOML")
    if not table:
        raise SettingsError(str(path), found="no class", wanted="one table for each class, such as [hand_clap]")
    return tuple(_sound_class(path, name, entry) for name, entry in table.items())


def _sound_class(path: Path, name: str, entry: object) -> SoundClass:
    if not isinstance(entry, dict):
        raise SettingsError(f"{path}: {name}", found=shown(entry), wanted="a table with clips and labels")
    for key in entry:
        if key not in _LISTS:
            raise SettingsError(f"{path}: {name}.{key}", found="an unknown key", wanted=f"one of {', '.join(_LISTS)}")
    lists = []
    for key, needed in _LISTS.items():
        values = entry.get(key, None if needed else [])
        if not isinstance(values, list) or (needed and not values) or not all(isinstance(each, str) for each in values):
            others = [each for each in values if not isinstance(each, str)] if isinstance(values, list) else [values]
            found = "nothing" if key not in entry else shown(others[0]) if others else "no text"
            raise SettingsError(f"{path}: {name}.{key}", found=found, wanted="a list of texts")
        lists.append(tuple(values))
    clips, labels, beside = lists
    return SoundClass(name, clips if name in clips else (name, *clips), labels, beside)


def with_classes_of(names: Iterable[str], classes: Iterable[SoundClass], labels: Sequence[str],
                    targets: Mapping[str, Sequence[str]]) -> list[SoundClass]:
    """The table's classes, and with them each name of clips that is a label or a target and in no class.

    names: of clips. labels: the model's. targets: by name, with their labels. A name joins the class that
    shares a label with it, unless it stands beside that class. Else it is a class of its own, of those of its
    labels that no other class has.
    """
    found = {entry.name: entry for entry in classes}
    known = {name for entry in found.values() for name in entry.clips}
    for name in sorted(set(names) - known):
        own = set(targets.get(name, ())) | ({name} & set(labels))
        home = next((entry for entry in found.values() if own & set(entry.labels) and name not in entry.beside), None)
        if home is not None:
            found[home.name] = replace(home, clips=(*home.clips, name))
        elif own:
            taken = {label for entry in found.values() for label in entry.labels}
            found[name] = SoundClass(name, (name,), tuple(sorted(own - taken or own)), ())
    return list(found.values())
