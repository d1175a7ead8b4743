"""The table of sound classes that models are measured with (models/classes.toml), read with every key checked."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from edge.errors import SettingsError

_LISTS = {"clips": True, "labels": True, "beside": False}
"""Keys of a class, and whether each must be there."""


@dataclass(frozen=True, slots=True)
class SoundClass:
    """Which clips hold a sound and which labels stand for it."""

    name: str
    clips: tuple[str, ...]
    labels: tuple[str, ...]
    beside: tuple[str, ...]
    """Classes of clips that hold the sound too: counted neither for it nor against."""

    def holds(self, name: str) -> bool | None:
        """Whether a clip of this class holds the sound; None where it may."""
        return True if name in self.clips else None if name in self.beside else False


def load_classes(path: Path) -> tuple[SoundClass, ...]:
    """Read the table of sound classes. Raises SettingsError naming file, key, found and wanted."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(str(path), found=error.strerror or str(error), wanted="a table of classes") from error
    except UnicodeDecodeError as error:
        raise SettingsError(str(path), found="bytes that are no UTF-8", wanted="a table of classes in TOML") from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(str(path), found=f"no TOML ({error})", wanted="a table of classes") from error
    if not table:
        raise SettingsError(str(path), found="no class", wanted="one table for each class, such as [hand_clap]")
    return tuple(_sound_class(path, name, entry) for name, entry in table.items())


def _sound_class(path: Path, name: str, entry: object) -> SoundClass:
    if not isinstance(entry, dict):
        raise SettingsError(f"{path}: {name}", found=repr(entry)[:60], wanted="a table with clips and labels")
    for key in entry:
        if key not in _LISTS:
            raise SettingsError(f"{path}: {name}.{key}", found="an unknown key", wanted=f"one of {', '.join(_LISTS)}")
    lists = []
    for key, needed in _LISTS.items():
        values = entry.get(key, None if needed else [])
        if not isinstance(values, list) or (needed and not values) or not all(isinstance(each, str) for each in values):
            found = repr(values)[:60] if key in entry else "nothing"
            raise SettingsError(f"{path}: {name}.{key}", found=found, wanted="a list of texts")
        lists.append(tuple(values))
    return SoundClass(name, *lists)
