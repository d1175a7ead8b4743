"""Whether a picture can be drawn and written. Commands ask before an hour of listening, not after it."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

from edge.errors import SettingsError


def check_picture_path(path: Path) -> None:
    """See that a picture can be written to `path`; nothing is written yet.

    Raises SettingsError for a folder, for a name that does not end in .png, and for a folder that is missing
    or cannot be written.
    """
    def refuse(found: str, wanted: str) -> SettingsError:
        return SettingsError(f"--plot {path}", found=found, wanted=wanted)

    try:
        if path.is_dir():
            raise refuse("a folder", "a file name, such as out.png")
        if path.suffix.lower() != ".png":
            raise refuse(f"a name that ends in {path.suffix!r}", "a file name that ends in .png")
        if not path.parent.is_dir():
            raise refuse(f"no folder {path.parent}", "a file name in a folder that is there")
        if path.exists() and not path.is_file():
            raise refuse("a device or pipe", "a file name, such as out.png")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise refuse("no permission to write there", "a file name that can be written")
    except OSError as error:
        raise refuse(error.strerror or str(error), "a file name that can be written") from error


def plotting() -> Any:
    """The module that draws. Raises SettingsError where matplotlib is missing."""
    try:
        return importlib.import_module("edge.workshop.plot")
    except ImportError as error:
        raise SettingsError("--plot", found=f"no {error.name}", wanted="pip install 'edge-audio[plot]'") from error
