"""A command that prints nothing for a while: said first, and started anew later."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest

from edge.settings import SourceSettings
from edge.sources import command as module
from edge.sources.command import Command
from edge.stats import Stats

pytestmark = pytest.mark.big

PATIENCE_SECONDS = 60.0
SOME = 3_200
"""Samples that a script prints at once: two blocks."""


def shell(script: str, stats: Stats, *, stalled_seconds: float = module.STALLED_SECONDS) -> Command:
    settings = SourceSettings(kind="command", command=("sh", "-c", script), retry_seconds=0.1)
    return Command(settings, stats, stalled_seconds=stalled_seconds)


def test_a_pause_is_said_before_the_command_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that stood still was called ok for half a minute."""
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.3)
    go, stats, some = tmp_path / "go", Stats(), f"head -c {2 * SOME} /dev/urandom"
    source = shell(f"echo waiting >&2; {some}; until [ -e {shlex.quote(str(go))} ]; do sleep 0.05; done; {some}; sleep 100",
                   stats, stalled_seconds=PATIENCE_SECONDS)
    heard, said, deadline = 0, list[str](), time.monotonic() + PATIENCE_SECONDS
    for block in source.blocks():
        heard += 0 if block is None else block.length
        if source.trouble == "missing":
            said.append(source.state)
            go.touch()
        if heard == 2 * SOME:
            source.close()
        assert time.monotonic() < deadline, source.state
    assert said[-1] == "command sh: nothing printed for 0.3 s: waiting"
    assert (stats.reopened, stats.gaps) == (0, 0)


def test_a_command_that_hangs_is_started_anew() -> None:
    stats = Stats()
    source = shell(f"head -c {2 * SOME} /dev/urandom; sleep 1000", stats, stalled_seconds=0.3)
    heard, deadline = 0, time.monotonic() + PATIENCE_SECONDS
    for block in source.blocks():
        heard += 0 if block is None else block.length
        if stats.reopened >= 1 and heard > SOME:
            source.close()
        assert time.monotonic() < deadline, source.state
    assert stats.gaps >= 1


def test_a_command_that_goes_on_is_ok_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was said of a pause is taken back with the first sample."""
    monkeypatch.setattr(module, "QUIET_SECONDS", 0.2)
    go, stats = tmp_path / "go", Stats()
    source = shell(f"head -c {2 * SOME} /dev/urandom; until [ -e {shlex.quote(str(go))} ]; do sleep 0.05; done; "
                   f"while :; do head -c 640 /dev/urandom; sleep 0.02; done", stats)
    troubles, deadline = list[str](), time.monotonic() + PATIENCE_SECONDS
    for _ in source.blocks():
        if troubles[-1:] != [source.trouble]:
            troubles.append(source.trouble)
        if troubles[-1] == "missing":
            go.touch()
        if "missing" in troubles and troubles[-1] == "":
            source.close()
        assert time.monotonic() < deadline, source.state
    assert stats.reopened == 0
