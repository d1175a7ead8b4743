"""The archive that carries a model to another board, and what is not let in with it."""

from __future__ import annotations

import io
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from edge.errors import ModelError
from edge.model.classifier import open_model
from edge.workshop.models.install import Installer
from edge.workshop.models.pack import unpack


@pytest.mark.big
def test_a_packed_model_installs_on_another_board_and_runs(yamnet_pack: Path, store: Installer, runtime: str) -> None:
    directory = store.install(yamnet_pack)
    assert directory.name == "yamnet"
    assert sorted(path.name for path in directory.iterdir()) == [
        "MODEL_CARD.md", "backbone.tflite", "bank.json", "bank.npz", "calibration-litert.json", "head.npz", "manifest.json"]
    assert "baby_cry" in open_model(directory, runtime=runtime).labels[521:]


def test_the_published_file_stays_out_of_the_archive(yamnet_pack: Path) -> None:
    with tarfile.open(yamnet_pack) as archive:
        assert archive.getnames() == [
            f"yamnet/{name}" for name in ("manifest.json", "backbone.tflite", "head.npz", "bank.npz", "MODEL_CARD.md",
                                          "bank.json", "calibration-litert.json")]
        assert {(each.uid, each.mtime, each.mode) for each in archive} == {(0, 0, 0o644)}


@pytest.mark.big
def test_packing_again_gives_the_same_bytes(yamnet_pack: Path, store: Installer, tmp_path: Path) -> None:
    store.install(yamnet_pack)
    store.pack("yamnet", tmp_path / "again.tar")
    assert (tmp_path / "again.tar").read_bytes() == yamnet_pack.read_bytes()


@pytest.mark.big
def test_an_archive_can_be_given_another_name(yamnet_pack: Path, store: Installer) -> None:
    assert store.install(yamnet_pack, name="ears").name == "ears"
    assert store.show("ears").name == "ears"


@pytest.mark.big
def test_a_card_beside_the_model_travels_with_it(tiny: Path, tmp_path: Path, store: Installer) -> None:
    directory = store.install(tiny / "float.tflite")
    (directory / "README.md").write_text("the card")
    (directory / "notes.pdf").write_text("not")
    store.pack("float", tmp_path / "float.tar")
    assert (store.install(tmp_path / "float.tar", name="other") / "README.md").read_text() == "the card"
    assert not (store.find("other") / "notes.pdf").exists()


@pytest.mark.big
def test_an_archive_never_takes_the_place_of_a_pipe_or_device(tiny: Path, store: Installer, tmp_path: Path) -> None:
    store.install(tiny / "float.tflite")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for name in ("pipe", "link"):
        with pytest.raises(ModelError, match=f"{name}: found a device or pipe; wanted a file name"):
            store.pack("float", tmp_path / name)
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "link").is_symlink()


@pytest.mark.big
def test_an_archive_is_written_where_a_link_leads(tiny: Path, store: Installer, tmp_path: Path) -> None:
    store.install(tiny / "float.tflite")
    (tmp_path / "link.tar").symlink_to("real.tar")
    for _ in range(2):
        store.pack("float", tmp_path / "link.tar")
        assert (tmp_path / "link.tar").is_symlink() and tarfile.is_tarfile(tmp_path / "real.tar")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ModelError, match="loop: found "):
        store.pack("float", tmp_path / "loop")


@pytest.mark.big
def test_an_archive_that_cannot_be_written_is_said_and_leaves_nothing(tiny: Path, store: Installer,
                                                                      tmp_path: Path) -> None:
    store.install(tiny / "float.tflite")
    with pytest.raises(ModelError, match="found No such file or directory; wanted a file that can be written"):
        store.pack("float", tmp_path / "nowhere" / "float.tar")
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelError, match="found a folder; wanted a file name"):
        store.pack("float", tmp_path / "folder")
    assert not [path for path in tmp_path.iterdir() if "folder" in path.name and path.name != "folder"]


@pytest.mark.big
def test_a_spoilt_model_is_not_packed(tiny: Path, store: Installer, tmp_path: Path) -> None:
    (store.install(tiny / "float.tflite") / "whole.tflite").write_bytes(b"spoilt")
    with pytest.raises(ModelError, match=r"whole\.tflite: found 6 bytes"):
        store.pack("float", tmp_path / "float.tar")
    assert not (tmp_path / "float.tar").exists()


# What an archive from elsewhere may try.

def _entry(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry


def _archive(path: Path, *entries: tarfile.TarInfo, content: bytes = b"x") -> Path:
    with tarfile.open(path, "w") as archive:
        for entry in entries:
            entry.size = len(content) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("entry", [
    _entry("../manifest.json"), _entry("/etc/cron.d/x"), _entry("m/../../x"), _entry("m/../x"), _entry("a/b/c"),
    _entry("m/.hidden"), _entry("m/with space"), _entry("m/link", tarfile.SYMTYPE, "/etc/passwd"),
    _entry("m/hard", tarfile.LNKTYPE, "m/manifest.json"), _entry("m/device", tarfile.CHRTYPE),
    _entry("m/pipe", tarfile.FIFOTYPE), _entry("m/manifest.json"), _entry("other/head.npz"),
], ids=lambda entry: entry.name)
def test_an_entry_that_leads_elsewhere_or_comes_twice_is_refused(tmp_path: Path, store: Installer,
                                                                 entry: tarfile.TarInfo) -> None:
    archive = _archive(tmp_path / "evil.tar", _entry("m/manifest.json"), entry)
    with pytest.raises(ModelError, match=r"evil\.tar: found an entry .*; wanted an archive made by edge-audio"):
        store.install(archive)
    assert store.list() == Installer(tmp_path / "empty").list()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["evil.tar", "state"]
    assert list((tmp_path / "state" / "models").iterdir()) == []


def test_too_many_entries_are_refused(tmp_path: Path, store: Installer) -> None:
    archive = _archive(tmp_path / "many.tar", *(_entry(f"m/file{number}") for number in range(40)))
    with pytest.raises(ModelError, match="found 17 entries"):
        store.install(archive)


def test_an_entry_that_claims_to_be_huge_is_refused_unread(tmp_path: Path) -> None:
    entry = tarfile.TarInfo("m/manifest.json")
    entry.size = 1 << 40
    (tmp_path / "huge.tar").write_bytes(entry.tobuf(tarfile.GNU_FORMAT) + bytes(10_240))
    (tmp_path / "into").mkdir()
    with pytest.raises(ModelError, match=r"huge\.tar: found "):
        unpack(tmp_path / "huge.tar", tmp_path / "into")
    assert list((tmp_path / "into").iterdir()) == []


def test_an_archive_without_a_manifest_is_refused(tmp_path: Path, store: Installer) -> None:
    with pytest.raises(ModelError, match=r"found no manifest\.json"):
        store.install(_archive(tmp_path / "bare.tar", _entry("m/head.npz")))


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.99])
def test_a_truncated_archive_is_refused_and_leaves_nothing(yamnet_pack: Path, store: Installer, tmp_path: Path,
                                                          share: float) -> None:
    content = yamnet_pack.read_bytes()
    (tmp_path / "cut.tar").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(ModelError):
        store.install(tmp_path / "cut.tar")
    assert list((tmp_path / "state" / "models").iterdir()) == []


def test_an_archive_whose_files_do_not_fit_its_manifest_is_refused(yamnet: Path, tmp_path: Path,
                                                                   store: Installer) -> None:
    copy = Path(shutil.copytree(yamnet, tmp_path / "yamnet"))
    (copy / "head.npz").write_bytes(b"another head")
    with tarfile.open(tmp_path / "off.tar", "w") as archive:
        archive.add(copy, "yamnet")
    with pytest.raises(ModelError, match=r"head\.npz: found 12 bytes; wanted"):
        store.install(tmp_path / "off.tar")


def test_labels_beside_an_archive_are_refused(yamnet_pack: Path, store: Installer, tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("one\n")
    with pytest.raises(ModelError, match="an archive, which has its labels"):
        store.install(yamnet_pack, labels=tmp_path / "labels.txt")


@pytest.mark.parametrize("size", [1 << 62, 1 << 70])
def test_an_extended_header_of_more_bytes_than_any_file_is_a_broken_archive(tmp_path: Path, size: int) -> None:
    """tarfile asked for so much memory at once: a MemoryError or an OverflowError; fuzzing found both."""
    entry = tarfile.TarInfo("manifest.json")
    entry.type = tarfile.XHDTYPE
    header = bytearray(entry.tobuf(tarfile.GNU_FORMAT))
    header[124:136] = b"\x80" + size.to_bytes(11, "big")
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header)
    (tmp_path / "large.tar").write_bytes(bytes(header) + bytes(1_024))
    into = tmp_path / "into"
    into.mkdir()
    with pytest.raises(ModelError, match=r"found a broken archive .*; wanted an archive made by edge-audio model pack"):
        unpack(tmp_path / "large.tar", into, thing="large.tar")
