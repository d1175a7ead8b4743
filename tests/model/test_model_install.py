"""What `model install` takes, and what it refuses without leaving anything behind."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from pathlib import Path

import pytest
from model_https_server import Server
from model_tiny import LABELS

from edge.errors import ModelError
from edge.model.classifier import open_model
from edge.workshop.models.install import Installer
from edge.workshop.models.known import KNOWN, YAMNET_SHA256
from edge.workshop.models.metadata import audio_properties

HAS_LITERT = importlib.util.find_spec("ai_edge_litert") is not None


def _left(tmp_path: Path) -> list[str]:
    """What the store holds, by file name."""
    return sorted(path.name for path in (tmp_path / "state").rglob("*") if path.is_file())


# YAMNet as published.

@pytest.mark.big
@pytest.mark.skipif(not HAS_LITERT, reason="splitting needs LiteRT's schema")
def test_yamnet_as_published_is_split_and_known_by_its_digest(yamnet_file: Path, store: Installer,
                                                              runtime: str) -> None:
    directory = store.install(yamnet_file)
    manifest = store.show("yamnet")
    assert directory == store.find("yamnet") and directory.name == "yamnet"
    assert (manifest.kind, manifest.version, manifest.licence) == ("split", "1", "Apache-2.0")
    assert manifest.source == {"file": "yamnet_classification.tflite", "sha256": YAMNET_SHA256}
    assert [target.name for target in manifest.targets] == [target.name for target in KNOWN[YAMNET_SHA256].targets]
    assert len(manifest.labels) == 527 and manifest.labels[132] == "Music" and "baby_cry" in manifest.labels[521:]
    # The published file is kept for bench, bit for bit.
    assert (directory / "whole.tflite").read_bytes() == yamnet_file.read_bytes()
    assert store.verify("yamnet") == open_model(directory, runtime=runtime).describe()


@pytest.mark.big
@pytest.mark.skipif(not HAS_LITERT, reason="splitting needs LiteRT's schema")
def test_yamnet_can_be_called_otherwise_and_have_its_digest_asked_for(yamnet_file: Path, store: Installer) -> None:
    assert store.install(yamnet_file, name="ears", sha256=YAMNET_SHA256.upper()).name == "ears"


@pytest.mark.skipif(HAS_LITERT, reason="LiteRT is here")
def test_without_litert_the_published_file_asks_for_an_archive(yamnet_file: Path, store: Installer,
                                                               tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no LiteRT on this machine; wanted an archive .*edge-audio model pack"):
        store.install(yamnet_file)
    assert _left(tmp_path) == []


# Any other classifier.

@pytest.mark.big
def test_a_classifier_of_another_layout_is_taken_whole_with_its_own_labels(tiny: Path, store: Installer,
                                                                           runtime: str) -> None:
    store.install(tiny / "float.tflite")
    manifest = store.show("float")
    assert (manifest.kind, manifest.labels, manifest.patch_samples) == ("whole", LABELS, 1600)
    assert manifest.front_end is None and manifest.licence == "unknown"
    assert manifest.source["sha256"] == hashlib.sha256((tiny / "float.tflite").read_bytes()).hexdigest()
    assert "model float 1 (whole, 3 of 3 rows)" in store.verify("float")


@pytest.mark.big
def test_labels_come_from_a_text_file_where_none_are_inside(tiny: Path, store: Installer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"unlabelled\.tflite: labels: found none packed inside; wanted a text file"):
        store.install(tiny / "unlabelled.tflite")
    (tmp_path / "labels.txt").write_text("one\r\ntwo words\r\ndrei \n\n")
    store.install(tiny / "unlabelled.tflite", labels=tmp_path / "labels.txt")
    assert store.show("unlabelled").labels == ("one", "two words", "drei")


@pytest.mark.big
@pytest.mark.parametrize(("text", "found"), [
    (b"one\ntwo\n", "labels: found 2; wanted 3, as in whole.output"), (b"a\n\nb\n", "an empty line"),
    (b"", "no labels"), (b"a\nb\na\n", "found 'a' twice"), (b"\xff\xfe\n", "no UTF-8")])
def test_labels_that_do_not_fit_are_refused(tiny: Path, store: Installer, tmp_path: Path, text: bytes,
                                            found: str) -> None:
    (tmp_path / "labels.txt").write_bytes(text)
    with pytest.raises(ModelError, match=found):
        store.install(tiny / "unlabelled.tflite", labels=tmp_path / "labels.txt")
    assert _left(tmp_path) == []


@pytest.mark.big
def test_a_label_list_that_is_not_there_is_named(tiny: Path, store: Installer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.txt: found No such file"):
        store.install(tiny / "unlabelled.tflite", labels=tmp_path / "none.txt")


@pytest.mark.big
@pytest.mark.parametrize(("name", "found"), [
    ("two_outputs", "output: found 2 tensors; wanted one row of scores"),
    ("spectrogram", r"input: found float32 \[1, 40, 40\]; wanted one waveform"),
    ("open_length", r"input: found float32 \[1, -1\]; wanted one waveform"),
    ("short", r"input: found float32 \[1, 100\]; wanted one waveform"),
    ("logits", "found scores from .*; wanted scores from 0 to 1"),
    ("off", "labels: found 2; wanted 3"),
    ("44khz", "metadata: found 44100 Hz, 1 channels; wanted 16000 Hz"),
    ("stereo", "metadata: found 16000 Hz, 2 channels; wanted 16000 Hz, 1 channel"),
])
def test_a_model_of_wrong_shapes_is_refused_and_leaves_nothing(tiny: Path, store: Installer, tmp_path: Path, name: str,
                                                               found: str) -> None:
    with pytest.raises(ModelError, match=found):
        store.install(tiny / f"{name}.tflite")
    assert _left(tmp_path) == []


@pytest.mark.big
def test_a_file_that_says_it_hears_16_khz_is_taken(tiny: Path, store: Installer) -> None:
    assert store.install(tiny / "16khz.tflite").name == "16khz"


def test_what_a_file_says_of_its_sound_is_read_without_the_schema(yamnet_file: Path, tiny: Path) -> None:
    content = yamnet_file.read_bytes()
    assert audio_properties(content, "yamnet") == (16_000, 1)
    assert audio_properties((tiny / "float.tflite").read_bytes(), "float") is None
    for end in (4, 20, 100, 1_000, 100_000):
        with pytest.raises(ModelError, match="metadata: found a broken table"):
            audio_properties(content[:end], "cut")


# Bad input.

@pytest.mark.parametrize("content", [b"", b"words, and no model\n", b"PK\x03\x04", b"\0" * 1000])
def test_a_file_that_is_no_model_is_refused_and_leaves_nothing(store: Installer, tmp_path: Path,
                                                               content: bytes) -> None:
    (tmp_path / "text.tflite").write_bytes(content)
    with pytest.raises(ModelError, match=r"text\.tflite: found .*; wanted a TFLite model, or an archive"):
        store.install(tmp_path / "text.tflite")
    assert _left(tmp_path) == []


@pytest.mark.big
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_truncated_model_is_refused_even_where_it_crashes_the_runtime(yamnet_file: Path, store: Installer,
                                                                        tmp_path: Path, share: float) -> None:
    # tflite-runtime 2.14 ends with a segmentation fault on these; the appliance must not.
    content = yamnet_file.read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError):
        store.install(tmp_path / "cut.tflite")
    assert _left(tmp_path) == []


@pytest.mark.big
def test_errors_name_the_file_that_was_given_and_no_folder_of_ours(tiny: Path, yamnet_pack: Path, store: Installer,
                                                                   tmp_path: Path) -> None:
    for file, name in ((tiny / "float.tflite", "half.tflite"), (yamnet_pack, "half.tar")):
        content = file.read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        for source in (tmp_path / name, (tmp_path / name).as_uri()):
            with pytest.raises(ModelError) as caught:
                store.install(source)
            assert str(caught.value).startswith(f"{source}: ") and ".new-" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_named(store: Installer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.tflite: found No such file or directory"):
        store.install(tmp_path / "none.tflite")
    with pytest.raises(ModelError, match="found no plain file"):
        store.install(tmp_path)


def test_a_digest_that_differs_is_refused_and_leaves_nothing(tiny: Path, store: Installer, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"found sha256 [0-9a-f]{{64}}; wanted {'0' * 64}"):
        store.install(tiny / "float.tflite", sha256="0" * 64)
    assert _left(tmp_path) == []


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "with space", "x" * 65, "-", "ü"])
def test_names_that_lead_elsewhere_are_refused(tiny: Path, store: Installer, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="model name: found "):
        store.install(tiny / "float.tflite", name=name)
    assert not (tmp_path / "state").exists()


def test_a_file_where_the_state_directory_should_be_is_said(tiny: Path, tmp_path: Path, runtime: str) -> None:
    (tmp_path / "state").write_text("no folder")
    store = Installer(tmp_path / "state", runtime=runtime)
    with pytest.raises(ModelError, match=r"found Not a directory; wanted a state directory that can be written"):
        store.install(tiny / "float.tflite")
    assert "float" not in {each.name for each in store.list()}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_state_directory_without_permission_is_said(tiny: Path, tmp_path: Path, runtime: str) -> None:
    (tmp_path / "state").mkdir(mode=0o500)
    with pytest.raises(ModelError, match="Permission denied"):
        Installer(tmp_path / "state", runtime=runtime).install(tiny / "float.tflite")


# Addresses.

@pytest.mark.big
def test_a_model_installs_from_https_and_leaves_no_download(tiny: Path, store: Installer, server: Server,
                                                            tmp_path: Path) -> None:
    server.behaviour.content = (tiny / "float.tflite").read_bytes()
    told: list[int] = []
    directory = store.install(server.url, context=server.context, progress=lambda done, _: told.append(done),
                              sha256=hashlib.sha256(server.behaviour.content).hexdigest())
    assert directory.name == "tiny" and store.show("tiny").source["file"] == "tiny.tflite"
    assert told[-1] == len(server.behaviour.content)
    assert _left(tmp_path) == ["manifest.json", "whole.tflite"]


def test_a_download_of_another_digest_leaves_nothing(tiny: Path, store: Installer, server: Server,
                                                     tmp_path: Path) -> None:
    server.behaviour.content = (tiny / "float.tflite").read_bytes()
    with pytest.raises(ModelError, match="found sha256"):
        store.install(server.url, context=server.context, sha256="f" * 64)
    assert _left(tmp_path) == []


@pytest.mark.big
def test_a_file_address_installs_and_leaves_the_file(tiny: Path, store: Installer) -> None:
    assert store.install((tiny / "float.tflite").as_uri()).name == "float"
    assert (tiny / "float.tflite").is_file()
