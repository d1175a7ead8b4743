"""Where the models that come with the program lie."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

from edge.errors import ModelError


def embedded_folder() -> Path:
    """Where the models that come with the program lie: `models` beside `edge` in a clone, else the package edge_models.

    Raises ModelError where neither is there.
    """
    root = Path(__file__).resolve().parents[2]
    if (root / "setup.cfg").is_file() and (root / "models").is_dir():
        return root / "models"
    try:
        return Path(str(importlib.resources.files("edge_models")))
    except ModuleNotFoundError as error:
        raise ModelError("embedded models", found="no package edge_models", wanted="a complete installation") from error
