"""What the tests of the image share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def image() -> Path:
    """The folder in which `make image` worked: disk.img, tools, boot."""
    named = os.environ.get("EDGE_AUDIO_IMAGE")
    if not named:
        pytest.skip("EDGE_AUDIO_IMAGE names no folder of make image: use make image-test")
    return Path(named)
