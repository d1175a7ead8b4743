"""The event that the button "that was wrong" judges."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from edge.errors import SettingsError
from edge.sinks.journal.entries import newest
from tests.sinks.test_sinks_journal_entries import START, Written, entry


def test_the_newest_is_one_that_can_be_judged(tmp_path: Path) -> None:
    """A pattern has no embedding: what is wrong with it is the sound that it counted last."""
    path = tmp_path / "journal.sqlite3"
    with pytest.raises(SettingsError, match="newest event: found none in the journal; wanted an event of a sound"):
        newest(path)
    journal = Written(path, events=100)
    clap = entry(1)
    journal.write([entry(0), clap])
    assert newest(path).id == clap.id
    pattern = replace(entry(2), target="double_clap", cells=None, logits=None, labels=(), backbone="", beside=(), bare=())
    journal.write([pattern])
    assert newest(path).id == clap.id
    journal.write([replace(pattern, id=entry(3).id, started_at=START + timedelta(days=3))])
    with pytest.raises(SettingsError, match="found one of double_clap that no patch made"):
        newest(path)  # none of three days ago is judged instead
    journal.close()
