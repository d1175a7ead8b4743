"""Where a model lies: with the program, or where its own path says. Imports no NumPy."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

from edge.errors import ModelError


def is_path(name: str | Path) -> bool:
    """Whether a model is named by the path of its directory, not by the name under which the store has it."""
    return isinstance(name, Path) or os.sep in name


def embedded_folder() -> Path:
    """Where the models that come with the program lie: `models` beside `edge` in a clone, else the package edge_models.

    Raises ModelError where neither is there.
    """
    root = Path(__file__).resolve().parents[2]
    if (root / "setup.cfg").is_file() and (root / "models").is_dir():
        return root / "models"
    found = importlib.util.find_spec("edge_models")
    if found is None or not found.submodule_search_locations:
        raise ModelError("embedded models", found="no package edge_models", wanted="a complete installation")
    return Path(next(iter(found.submodule_search_locations)))
