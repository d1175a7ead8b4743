"""`python -m edge` is `edge-audio`."""

from __future__ import annotations

import sys

from edge.cli import console

sys.exit(console())
