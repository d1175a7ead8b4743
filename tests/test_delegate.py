"""What delegates took is said: in the log, in health, to systemd, by `check` and `doctor`. LiteRT runs without XNNPACK."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from edge.app import build
from edge.cli import main
from edge.cli.checkup.checkup import check
from edge.cli.checkup.finding import Finding
from edge.control.loading import load_model
from edge.control.systemd import status_words
from edge.errors import ModelError
from edge.model.classifier import Split
from edge.model.delegation import Delegation
from edge.model.runtime import open_runtime
from edge.settings import GateSettings, LogSettings, ModelSettings, Settings
from edge.stream import Patch
from tests.external_delegate import Claims, delegate_library
from tests.fakes import FakeSink, FakeSource, blocks_of, silence

SETTINGS = Settings(log=LogSettings(events=""))
SLOW = "model: XNNPACK took none of 17 operators; look network: XNNPACK took none of 6 operators"


def with_delegate(library: Path | str) -> Settings:
    return replace(SETTINGS, model=ModelSettings(delegate=str(library)), gate=GateSettings(enabled=False))


def findings(settings: Settings, state_dir: Path, part: str) -> list[Finding]:
    return [each for each in check(settings, state_dir, only=["model"]) if each.part == part]


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
    (finding,) = findings(SETTINGS, tmp_path, "delegate")
    assert not finding.ok and finding.text.startswith(SLOW) and "/proc/cpuinfo" in finding.advice


def test_a_graph_that_xnnpack_took_is_ok(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    sink = FakeSink()
    build(SETTINGS, tmp_path, source=FakeSource(blocks_of(silence(1.0))), extra_sinks=[sink]).run()
    assert sink.healths[-1]["delegate"] == "ok" and load_model("starter").undelegated == "" and not caplog.records
    (finding,) = findings(SETTINGS, tmp_path, "delegate")
    assert finding.ok


def test_a_whole_model_with_some_operators_left_over_is_ok(yamnet_file: Path) -> None:
    opened = open_runtime(yamnet_file)
    assert opened.undelegated == "" and opened.delegation is not None
    assert 0 < opened.delegation.taken < opened.delegation.operators


@pytest.mark.big
def test_a_named_delegate_that_takes_nothing_is_told_everywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An Edge TPU beside a model that was not compiled for it. The log once said that hearing cost several times as much,
    and `doctor` sent the owner to /proc/cpuinfo: XNNPACK has the graph, and nothing costs more."""
    library = delegate_library(tmp_path, Claims.NOTHING)
    said = f"model: {library} took none of 17 operators, the processor runs them as without it"
    settings, sink = with_delegate(library), FakeSink()
    with caplog.at_level(logging.WARNING, "edge"):
        build(settings, tmp_path, source=FakeSource(blocks_of(silence(1.0))), extra_sinks=[sink]).run()
    assert f"{said} (edge-audio check)" in caplog.text and "several times" not in caplog.text
    assert sink.healths[-1]["delegate"] == said
    (finding,) = findings(settings, tmp_path, "delegate")
    assert not finding.ok and finding.text == said
    assert "compiled for it" in finding.advice and "cpuinfo" not in finding.advice


@pytest.mark.big
@pytest.mark.usefixtures("without_xnnpack")
def test_a_named_delegate_beside_an_xnnpack_that_takes_nothing_is_slow(tmp_path: Path) -> None:
    library = delegate_library(tmp_path, Claims.NOTHING)
    model = load_model("starter", delegate=str(library))
    assert model.slow
    assert model.undelegated.startswith(f"model: {library} and XNNPACK took none of 17 operators; look network: XNNPACK")
    (finding,) = findings(with_delegate(library), tmp_path, "delegate")
    assert "several times slower" in finding.text and "/proc/cpuinfo" in finding.advice


@pytest.mark.big
def test_a_delegate_that_takes_the_model_computes_its_embeddings(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    library = delegate_library(tmp_path, Claims.ALL)
    model = load_model("starter", delegate=str(library))
    assert isinstance(model, Split) and model.manifest.backbone is not None and model.undelegated == "" and not model.slow
    given, made = model.manifest.backbone.input, model.manifest.backbone.output
    bands = np.random.default_rng(1).normal(-2, 2, (96, 64)).astype(np.float32)
    scores = model.score(Patch(bands, 0))
    place = np.arange(made.size)
    cells = (given.to_cells(bands).reshape(-1).view(np.uint8)[place % given.size] + place.astype(np.uint8)).view(np.int8)
    assert scores.embedding is not None and np.array_equal(scores.embedding, made.to_real(cells))

    settings, sink = with_delegate(library), FakeSink()
    with caplog.at_level(logging.INFO, "edge"):
        build(settings, tmp_path, source=FakeSource(blocks_of(silence(2.0))), extra_sinks=[sink]).run()
    assert sink.healths[-1]["delegate"] == "ok" and f"{library}: 17 of 17 operators" in str(sink.healths[-1]["runtime"])
    assert f"{library}: 17 of 17 operators in 1 piece" in caplog.text
    (finding,) = findings(settings, tmp_path, "delegate")
    assert finding.ok


@pytest.mark.big
def test_a_delegate_whose_device_is_pulled_out_ends_the_run_and_is_named(tmp_path: Path) -> None:
    """systemd starts the program again every 5 s, and it serves again when the device is back (deploy/docs/coral.md)."""
    library = delegate_library(tmp_path, Claims.PULLED_OUT)
    source = FakeSource(blocks_of(silence(20.0)))
    appliance = build(with_delegate(library), tmp_path, source=source, extra_sinks=[FakeSink()])
    with pytest.raises(ModelError, match=rf"with delegate {library}: found the device was pulled out"):
        appliance.run()


@pytest.mark.big
@pytest.mark.parametrize("command", ["check", "doctor"])
def test_a_delegate_that_is_missing_is_named_with_a_remedy(tmp_path: Path, command: str,
                                                           capsys: pytest.CaptureFixture[str]) -> None:
    """The remedy was once that of a broken model."""
    config = tmp_path / "edge.toml"
    config.write_text('[model]\ndelegate = "libnothing.so.1"\n[source]\nkind = "command"\ncommand = ["true"]\n')
    words = ["--config", str(config), "--state-dir", str(tmp_path / "state")]
    assert main([command, *words, "--format", "json"]) == 1
    found = {each["part"]: each for each in map(json.loads, capsys.readouterr().out.splitlines())}
    missing = "delegate libnothing.so.1: found libnothing.so.1: cannot open"
    assert not found["model"]["ok"] and missing in found["model"]["text"]
    assert "device plugged in" in found["model"]["advice"] and "coral.md" in found["model"]["advice"]
    assert main(["run", *words]) == 2
    assert f"edge-audio: {missing}" in capsys.readouterr().err
