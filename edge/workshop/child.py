"""A child process in Python that imports the same edge as we did, and the same libraries beside it."""

from __future__ import annotations

import os
from pathlib import Path


def environment() -> dict[str, str]:
    """The environment for it: ours, with the folder of edge first in PYTHONPATH. The command of the Debian package finds
    edge by a line of its own, of which a child knows nothing."""
    root = str(Path(__file__).resolve().parents[2])
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))}
