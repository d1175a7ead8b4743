"""`edge-audio model export` as its users meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli import main
from edge.control.loading import load_model
from edge.workshop.classify import classify
from tests.model.model_taught import STARTER, scene


@pytest.mark.big
def test_an_export_goes_back_into_an_appliance_and_hears_the_same(tmp_path: Path,
                                                                  capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ai_edge_litert", reason="a new file needs LiteRT's schema")
    file, state = tmp_path / "ears.tflite", str(tmp_path / "state")
    assert main(["model", "export", "starter", "--output", str(file), "--state-dir", state]) == 0
    said = capsys.readouterr().out
    count = len(load_model(STARTER).labels)
    assert said.startswith(f"exported starter into {file}: {count} labels, {file.stat().st_size} bytes; tried")
    assert main(["model", "install", str(file), "--state-dir", state]) == 0
    heard = [classify(model, scene("claps"), hop_seconds=0.48)
             for model in (load_model(STARTER), load_model("ears", state_dir=tmp_path / "state"))]
    assert heard[0].labels == heard[1].labels
    assert abs(heard[0].scores - heard[1].scores).max() < 0.03


@pytest.mark.parametrize(("name", "wanted"), [("startr", "nearest is starter"), ("models/starter", "one of starter")])
def test_a_name_that_is_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, wanted: str) -> None:
    words = ["model", "export", name, "--output", str(tmp_path / "out.tflite"), "--state-dir", str(tmp_path)]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"edge-audio: model: found {name!r}; wanted one of ") and wanted in said
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ai_edge_litert", reason="a new file needs LiteRT's schema")
    assert main(["model", "export", "starter", "--output", str(tmp_path / "no" / "out.tflite")]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"edge-audio: {tmp_path}/no/out.tflite: found No such file or directory; wanted a file that can be written")
