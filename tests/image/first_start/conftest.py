"""A card for each test; nothing is really synced, for a disk under load takes seconds for that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.image.first_start import durable
from tests.image.first_start.card import Card


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path)


@pytest.fixture(scope="package", autouse=True)
def _nothing_is_synced() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(durable, "sync", lambda descriptor: None)
        yield
