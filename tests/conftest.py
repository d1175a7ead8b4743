"""What several test modules share: where the recordings are, and the way to skip without them."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def shared_folder() -> Path:
    """The folder of recordings and of YAMNet as published: EDGE_AUDIO_SHARED, else ../shared."""
    return Path(os.environ.get("EDGE_AUDIO_SHARED", ROOT.parent / "shared")).resolve()


@pytest.fixture(autouse=True)
def _messages_end_with_the_test() -> Iterator[None]:
    """Commands send messages to standard error, which pytest closes after each test: the next one must not write there."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in [each for each in root.handlers if type(each) is logging.StreamHandler]:
        root.removeHandler(handler)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared folder. Where it is missing the test is skipped, saying so; in CI it fails."""
    folder = shared_folder()
    if not (folder / "data" / "manifest.csv").is_file():
        (pytest.fail if os.environ.get("EDGE_AUDIO_REQUIRE_SHARED") else pytest.skip)(
            f"EDGE_AUDIO_SHARED: no recordings in {folder}")
    return folder


@pytest.fixture(scope="session")
def yamnet_file(shared: Path) -> Path:
    """YAMNet as published, one whole file."""
    return shared / "models" / "yamnet_classification.tflite"
