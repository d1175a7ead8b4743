"""What an event writes stays little; `tests/measure_writes.py` measures it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.sinks.journal import sink as journal
from tests.measure_writes import MODELS, per_event

pytestmark = pytest.mark.big


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="this kernel does not count what is written")
@pytest.mark.parametrize(("model", "most"), [("starter", 25_000), ("YAMNet", 35_000)])
def test_an_event_writes_little_and_events_that_come_together_less(model: str, most: int,
                                                                   monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "PAUSE_SECONDS", 0.0)
    written, _, commits = per_event(*MODELS[model], 60, 1)
    together, _, fewer = per_event(*MODELS[model], 60, 20)
    assert 5_000 < written < most and together < 0.9 * written
    assert commits == 2 and fewer == 0.1
