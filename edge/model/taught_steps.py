"""Where what was taught lies: a folder for each model, in it a file for each step. Without NumPy."""

from __future__ import annotations

import re
from pathlib import Path

from edge.model.placing import disk_error

SCHEMA, OLDEST = 2, 1
"""1 knew patches only."""
_STEP = re.compile(r"\d{6}\.npz")


def taught_folder(state_dir: Path, model: str) -> Path:
    """Where what was taught a model lies."""
    return state_dir / "taught" / model


def taught_steps(folder: Path) -> list[Path]:
    """A model's steps, oldest first; the last is in force. Raises ModelError where the disk fails."""
    try:
        return sorted(path for path in folder.iterdir() if _STEP.fullmatch(path.name))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise disk_error(folder, error, "a state directory that can be read (--state-dir)") from error
