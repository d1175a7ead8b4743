"""A delegate that took nothing is said: in the log, in health, to systemd, by `check`. LiteRT runs without XNNPACK."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from edge.app import build
from edge.cli.checkup.checkup import check
from edge.control.loading import load_model
from edge.control.systemd import status_words
from edge.model.delegation import Delegation
from edge.model.runtime import open_runtime
from edge.settings import LogSettings, Settings
from tests.fakes import FakeSink, FakeSource, blocks_of, silence

SETTINGS = Settings(log=LogSettings(events=""))
SLOW = "model: XNNPACK took none of 17 operators; look network: XNNPACK took none of 6 operators"


@pytest.fixture
def without_xnnpack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As on an ARM board whose /proc/cpuinfo is hidden: the runtime says nothing, and the scores are the same."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    alone = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    monkeypatch.setattr(litert, "Interpreter", partial(litert.Interpreter, experimental_op_resolver_type=alone))
    yield


def test_half_of_the_graph_is_enough() -> None:
    assert Delegation(9, 18, 2).enough and not Delegation(8, 18, 2).enough and not Delegation(0, 1, 0).enough


@pytest.mark.usefixtures("without_xnnpack")
def test_a_graph_that_no_delegate_took_is_told_everywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink()
    with caplog.at_level(logging.WARNING, "edge"):
        build(SETTINGS, tmp_path, source=FakeSource(blocks_of(silence(1.0))), extra_sinks=[sink]).run()
    assert f"{SLOW}; hearing costs several times as much" in caplog.text
    assert sink.healths[-1]["delegate"] == SLOW
    assert status_words(("hand_clap",), {**sink.healths[-1], "sinks": {}}) == f"hearing hand_clap; {SLOW}"
    (finding,) = [each for each in check(SETTINGS, tmp_path, only=["model"]) if each.part == "delegate"]
    assert not finding.ok and finding.text.startswith(SLOW) and "/proc/cpuinfo" in finding.advice


def test_a_graph_that_xnnpack_took_is_ok(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink()
    build(SETTINGS, tmp_path, source=FakeSource(blocks_of(silence(1.0))), extra_sinks=[sink]).run()
    assert sink.healths[-1]["delegate"] == "ok" and load_model("starter").undelegated == "" and not caplog.records
    (finding,) = [each for each in check(SETTINGS, tmp_path, only=["model"]) if each.part == "delegate"]
    assert finding.ok


def test_a_whole_model_with_some_operators_left_over_is_ok(yamnet_file: Path) -> None:
    opened = open_runtime(yamnet_file)
    assert opened.undelegated == "" and opened.delegation is not None
    assert 0 < opened.delegation.taken < opened.delegation.operators
