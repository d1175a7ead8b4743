"""Files that take bands and give logits, as compiled for an Edge TPU: installed with a delegate, served with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.cli import main
from edge.errors import ModelError
from edge.model.classifier import open_model
from edge.model.head import logistic
from edge.stream import Patch
from edge.workshop.models.install import Installer
from tests.external_delegate import Claims, delegate_library

pytestmark = pytest.mark.big


def test_a_compiled_file_is_installed_and_served_by_its_delegate(tiny: Path, tmp_path: Path, runtime: str) -> None:
    library = str(delegate_library(tmp_path, Claims.COMPILED))
    installer = Installer(tmp_path, runtime=runtime, delegate=library)
    folder = installer.install(tiny / "bands.tflite", name="edge-tpu")
    assert "libcompiled.so: 1 of 1 operators" in installer.verify("edge-tpu")
    model = open_model(folder, runtime=runtime, delegate=library)
    assert model.wants == "bands" and model.labels == ("first", "second", "third") and model.undelegated == ""

    bands = np.random.default_rng(1).normal(-2, 2, (96, 64)).astype(np.float32)
    cells = (bands.reshape(-1).view(np.uint8)[:3] + np.arange(3, dtype=np.uint8)).view(np.int8)  # as the delegate computes
    logits = (cells.astype(np.float32) - 17) * np.float32(0.047789)
    assert np.allclose(model.score(Patch(bands, 0)).values, logistic(logits), atol=1e-6)


def test_without_its_delegate_a_compiled_file_is_refused(tiny: Path, tmp_path: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match="edgetpu-custom-op"):
        Installer(tmp_path, runtime=runtime).install(tiny / "bands.tflite")
    assert not list((tmp_path / "models").glob("*/manifest.json"))


def test_scores_are_refused_where_logits_are_wanted(tiny: Path, tmp_path: Path, runtime: str) -> None:
    with pytest.raises(ModelError, match=r"bands_scores\.tflite: output: found values from 0 to 0\.996; wanted .* logits"):
        Installer(tmp_path, runtime=runtime).install(tiny / "bands_scores.tflite")


def test_the_command_line_takes_a_delegate(tiny: Path, tmp_path: Path, runtime: str,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    library = str(delegate_library(tmp_path, Claims.COMPILED))
    words = ["--state-dir", str(tmp_path), "--runtime", runtime, "--delegate", library]
    assert main(["model", "install", str(tiny / "bands.tflite"), *words]) == 0
    assert "installed bands: split, 3 labels" in capsys.readouterr().out
    assert main(["model", "verify", "bands", *words]) == 0
    assert f"{library}: 1 of 1 operators" in capsys.readouterr().out
