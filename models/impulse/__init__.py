"""The look network and its training. Run from the top of the repository: `python -m models.impulse.train`."""

import sys
from pathlib import Path

# The starter's scripts import each other by their plain names.
_STARTER = str(Path(__file__).resolve().parents[1] / "starter")
if _STARTER not in sys.path:
    sys.path.append(_STARTER)
