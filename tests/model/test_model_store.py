"""Models by name: found, listed, verified, removed; replaced whole or not at all."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
from pathlib import Path

import pytest

from edge.cli import model as command
from edge.errors import ModelError
from edge.model import store as storing
from edge.model.classifier import open_model
from edge.model.embedded import embedded_folder
from edge.workshop.models import build as building
from edge.workshop.models import install as installer
from edge.workshop.models.install import Installer

pytestmark = pytest.mark.big


def _left(tmp_path: Path) -> list[str]:
    """What the store holds, by file name."""
    return sorted(path.name for path in (tmp_path / "state").rglob("*") if path.is_file())


@pytest.fixture
def embedded(tiny: Path, tmp_path_factory: pytest.TempPathFactory, runtime: str,
             monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that comes with one model, `starter`."""
    elsewhere = tmp_path_factory.mktemp("program")
    Installer(elsewhere, runtime=runtime).install(tiny / "float.tflite", name="starter-made-for-tests")
    folder = elsewhere / "models"
    (folder / "starter-made-for-tests").rename(folder / "starter")
    values = (folder / "starter" / "manifest.json").read_text()
    (folder / "starter" / "manifest.json").write_text(values.replace("starter-made-for-tests", "starter"))
    for module in (storing, installer):
        monkeypatch.setattr(module, "embedded_folder", lambda: folder)
    return folder


# Finding, removing, and what came with the program.

def test_an_unknown_model_names_the_nearest_known_one(tiny: Path, store: Installer, embedded: Path) -> None:
    store.install(tiny / "float.tflite", name="yamnet")
    with pytest.raises(ModelError, match="model: found 'yamnett'; wanted one of starter, yamnet; nearest is yamnet"):
        store.find("yamnett")
    with pytest.raises(ModelError, match=r"wanted one of starter, yamnet$"):
        store.find("qqq")
    for name in ("../models", "", "."):
        with pytest.raises(ModelError, match="wanted one of"):
            store.find(name)


def test_yamnet_that_is_not_installed_is_told_with_the_command_that_fetches_it(store: Installer, embedded: Path) -> None:
    """`run --model yamnet` on a fresh machine said "wanted one of starter", and no more."""
    with pytest.raises(ModelError, match=r"wanted one of starter; edge-audio model install yamnet fetches it$"):
        store.find("yamnet")


def test_models_are_listed_with_where_they_come_from(tiny: Path, store: Installer, embedded: Path) -> None:
    store.install(tiny / "int16.tflite")
    assert [(each.name, each.embedded, each.problem) for each in store.list()] == [
        ("int16", False, ""), ("starter", True, "")]
    assert store.find("starter") == embedded / "starter"


def test_a_broken_model_is_listed_with_its_problem(tiny: Path, store: Installer, embedded: Path) -> None:
    (store.install(tiny / "int16.tflite") / "manifest.json").write_text("{")
    broken = store.list()[0]
    assert broken.name == "int16" and broken.manifest is None and "no JSON" in broken.problem


def test_a_model_with_a_cut_or_missing_file_is_listed_with_its_problem(tiny: Path, store: Installer,
                                                                       embedded: Path) -> None:
    file = store.install(tiny / "int16.tflite") / "whole.tflite"
    file.write_bytes(file.read_bytes()[:-1])
    assert "whole.tflite: found" in store.list()[0].problem and store.list()[0].manifest is not None
    file.unlink()
    assert "No such file" in store.list()[0].problem


def test_a_broken_model_makes_the_exit_code_of_list_1(tiny: Path, store: Installer, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    file = store.install(tiny / "int16.tflite") / "whole.tflite"
    options = argparse.Namespace(format="table")
    assert command._list(options, store) == 0
    file.write_bytes(b"half")
    assert command._list(options, store) == 1
    assert "int16           installed  BROKEN  " in capsys.readouterr().out


def test_removing_leaves_nothing_of_a_model(tiny: Path, store: Installer, tmp_path: Path) -> None:
    store.install(tiny / "float.tflite")
    store.remove("float")
    assert _left(tmp_path) == []
    with pytest.raises(ModelError, match="found 'float'"):
        store.remove("float")


def test_what_came_with_the_program_is_neither_removed_nor_installed_over(tiny: Path, store: Installer,
                                                                         embedded: Path) -> None:
    with pytest.raises(ModelError, match="model starter: found one that comes with the program"):
        store.remove("starter")
    with pytest.raises(ModelError, match="found starter, which comes with the program; wanted another"):
        store.install(tiny / "float.tflite", name="starter")
    assert (embedded / "starter" / "whole.tflite").is_file()


def test_verifying_finds_a_changed_byte(tiny: Path, store: Installer) -> None:
    file = store.install(tiny / "float.tflite") / "whole.tflite"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"whole\.tflite: found sha256"):
        store.verify("float")


def test_the_starter_model_verifies_and_travels(store: Installer, tmp_path: Path, runtime: str) -> None:
    assert store.verify("starter").startswith("model starter ")
    store.pack("starter", tmp_path / "starter.tar")
    travelled = open_model(store.install(tmp_path / "starter.tar", name="travelled"), runtime=runtime)
    assert travelled.labels == store.show("starter").labels


def test_embedded_models_lie_in_the_clones_models_folder() -> None:
    assert embedded_folder() == Path(__file__).resolve().parents[2] / "models"


# Whole or not at all.

def test_a_model_of_the_same_name_is_replaced_by_a_complete_one_only(tiny: Path, store: Installer,
                                                                     tmp_path: Path) -> None:
    store.install(tiny / "float.tflite", name="ears")
    with pytest.raises(ModelError):
        store.install(tiny / "logits.tflite", name="ears")
    assert store.show("ears").source["file"] == "float.tflite"
    store.install(tiny / "int16.tflite", name="ears")
    assert store.show("ears").source["file"] == "int16.tflite"
    assert [path.name for path in (tmp_path / "state" / "models").iterdir()] == ["ears"]


def test_an_interrupt_leaves_the_old_model_and_nothing_else(tiny: Path, store: Installer, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    store.install(tiny / "float.tflite", name="ears")

    def interrupt(directory: Path, **_: str) -> str:
        assert (directory / "manifest.json").is_file()
        raise KeyboardInterrupt

    monkeypatch.setattr(building, "try_directory", interrupt)
    with pytest.raises(KeyboardInterrupt):
        store.install(tiny / "int16.tflite", name="ears")
    assert store.show("ears").source["file"] == "float.tflite"
    assert [path.name for path in (tmp_path / "state" / "models").iterdir()] == ["ears"]


def test_a_power_cut_between_old_and_new_leaves_the_old_model(tiny: Path, store: Installer, tmp_path: Path) -> None:
    models = tmp_path / "state" / "models"
    store.install(tiny / "float.tflite", name="ears")
    (models / "ears").rename(models / ".old-ears")
    shutil.copytree(models / ".old-ears", models / ".new-abc")
    assert store.find("ears") == models / ".old-ears"
    assert "model ears" in store.verify("ears")
    # The next command that changes anything puts it right.
    store.install(tiny / "int16.tflite")
    assert sorted(path.name for path in models.iterdir()) == ["ears", "int16"]


def test_two_commands_do_not_change_the_store_at_once(tiny: Path, store: Installer, tmp_path: Path) -> None:
    store.install(tiny / "float.tflite")
    held = os.open(tmp_path / "state" / "models", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        with pytest.raises(ModelError, match="found another `edge-audio model` at work"):
            store.remove("float")
    finally:
        os.close(held)
    store.remove("float")
