"""The look network is part of the program: without it nothing starts, and what is missing is said."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge.app import build
from edge.cli import main
from edge.control import loading
from edge.control.loading import find_model, model_folder
from edge.errors import ModelError
from edge.model.embedded import embedded_folder
from edge.settings import LogSettings, Settings, TargetSettings
from tests.fakes import FakeSource


def test_an_installation_without_the_look_networks_manifest_is_not_complete(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Claps were left to the patches without a word."""
    program = tmp_path / "program"
    shutil.copytree(embedded_folder() / "impulse", program / "impulse", ignore=shutil.ignore_patterns("manifest.json"))
    monkeypatch.setattr(loading, "embedded_folder", lambda: program)
    wanted = (r"impulse/manifest\.json: found No such file or directory; wanted the look network's manifest "
              r"\(a complete installation has it\)")
    with pytest.raises(ModelError, match=wanted):
        find_model("starter", tmp_path)
    assert main(["classify", str(embedded_folder() / "demo" / "claps.wav"), "--state-dir", str(tmp_path)]) == 2
    assert "the look network's manifest" in capsys.readouterr().err


def test_a_model_that_is_named_by_its_path_keeps_looks(tmp_path: Path) -> None:
    settings = Settings(target=(TargetSettings(name="hand_clap"),), log=LogSettings(events=""))
    named = find_model(str(model_folder("starter", tmp_path)), tmp_path)
    assert named.looks is not None and "hand_clap" in {offer.name for offer in named.offers}
    assert named.ask(settings.target).sounds[0].offer is not None
    assert build(settings, tmp_path, source=FakeSource([])).listener.targets.sounds[0].looked


def test_what_looks_offer_is_made_once(tmp_path: Path) -> None:
    named = find_model("starter", tmp_path)
    assert named.offers is named.offers and len({offer.digest for offer in named.offers}) == len(named.offers) > 3
