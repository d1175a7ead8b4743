"""Bundles that deploy/image makes, seen by the real rauc: good, tampered, foreign, for another board, older, none.

Keys and bundles are made here. `rauc install` needs device-mapper, and runs in the emulated machine (tests/image).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.cli.updating.board import ThisBoard
from edge.cli.updating.confirm import confirm
from edge.cli.updating.install import newer, offer, place_of
from edge.cli.updating.rauc import Rauc
from edge.cli.updating.show import status, update_now
from edge.errors import SettingsError, UpdateError
from tests.cli.update_bundles import SLOT_BYTES, board_folder, bundle, missing, root_image, script
from tests.cli.update_web import served

pytestmark = [pytest.mark.big,
              pytest.mark.skipif(bool(missing()), reason=f"{missing()}: deploy/packages.sh test installs it")]

VERSION = "1.2.0"


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("update") / "keys"
    script("keys.sh", folder)
    return folder


@pytest.fixture(scope="module")
def good(keys: Path) -> Path:
    return bundle(keys.parent, keys, "1.10.0")


@pytest.fixture(scope="module")
def folder(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with board_folder(tmp_path_factory.mktemp("board"), keys, VERSION) as folder:
        yield folder


@pytest.fixture
def board(folder: Path) -> ThisBoard:
    return ThisBoard(folder, folder / "state")


def refused(board: ThisBoard, path: Path, message: str) -> None:
    with pytest.raises(UpdateError, match=message) as refusal:
        offer(board, place_of(str(path)))
    assert str(refusal.value).startswith(str(path))


def test_a_good_bundle_is_offered(board: ThisBoard, good: Path) -> None:
    """1.10 is newer than 1.2; the bundle says what its root says."""
    offered = offer(board, place_of(str(good)))
    assert (offered.bundle.version, offered.bundle.size, offered.slot) == ("1.10.0", 1 << 20, "B")
    assert newer(offered)


def test_a_bundle_with_a_changed_signature_is_refused(board: ThisBoard, good: Path, tmp_path: Path) -> None:
    data = bytearray(good.read_bytes())
    data[-100] ^= 1
    (path := tmp_path / "tampered.raucb").write_bytes(data)
    refused(board, path, r"signature verification failed.*wanted a bundle signed with a key that this board trusts")


def test_a_bundle_that_was_cut_off_is_refused(board: ThisBoard, good: Path, tmp_path: Path) -> None:
    (path := tmp_path / "short.raucb").write_bytes(good.read_bytes()[:-5000])
    refused(board, path, "Invalid bundle format")


def test_a_bundle_of_others_is_refused(board: ThisBoard, tmp_path: Path) -> None:
    script("keys.sh", tmp_path / "theirs")
    refused(board, bundle(tmp_path, tmp_path / "theirs", "9.0"), "wanted a bundle signed with a key that this board trusts")


def rauc_that_says(folder: Path, *answers: str) -> Rauc:
    """Stands for rauc: fails at each call with the next answer, and then succeeds. The real one mounts in tests/image."""
    for count, answer in enumerate(answers):
        (folder / f"answer-{count}").write_text(f"LastError: {answer}\n")
    program = folder / "rauc"
    program.write_text(f'''#!/bin/sh
cd {folder} && echo "$@" >> calls
for answer in answer-*; do [ -e "$answer" ] && cat "$answer" && rm "$answer" && exit 1; done
echo "100% Installing done."
''')
    program.chmod(0o755)
    return Rauc(folder / "system.conf", str(program))


def test_a_block_device_that_udev_closed_is_tried_again(tmp_path: Path) -> None:
    lost = "Failed mounting bundle: Failed to load dm table: Argument list too long"
    told: list[str] = []
    rauc_that_says(tmp_path, lost, lost).install("http://nas/a.raucb", told.append)
    assert (tmp_path / "calls").read_text().count("install http://nas/a.raucb") == 3 and told == ["100% Installing done."]


@pytest.mark.parametrize(("where", "answers", "calls"), [
    ("http://nas/a.raucb", ["Failed mounting bundle: no"] * 4, 3),
    ("http://nas/a.raucb", ["Failed updating slot rootfs.1: no"] * 4, 1),
    ("/data/a.raucb", ["Failed mounting bundle: no"] * 4, 1)])
def test_what_goes_on_failing_is_told(tmp_path: Path, where: str, answers: list[str], calls: int) -> None:
    with pytest.raises(UpdateError, match=f"{where}: found {answers[0]}; wanted an installed update"):
        rauc_that_says(tmp_path, *answers).install(where, lambda line: None)
    assert (tmp_path / "calls").read_text().count("\n") == calls


def test_last_years_key_is_as_good_as_this_years(board: ThisBoard, keys: Path, tmp_path: Path) -> None:
    """A board trusts the authority, not one signing key."""
    before = (keys / "signing.cert.pem").resolve()
    assert script("keys.sh", keys) == ""  # again: nothing is made
    script("keys.sh", keys, "new")
    assert (keys / "signing.cert.pem").resolve() != before and before.exists()
    assert newer(offer(board, str(bundle(tmp_path, keys, "1.11"))))


def test_a_bundle_for_another_board_is_refused(board: ThisBoard, keys: Path, tmp_path: Path) -> None:
    toasters = bundle(tmp_path, keys, "1.3", compatible="toaster")
    refused(board, toasters, "found an image for toaster; wanted one for edge-audio-arm64")


def test_a_root_that_a_slot_cannot_hold_is_refused(board: ThisBoard, keys: Path, tmp_path: Path) -> None:
    large = bundle(tmp_path, keys, "1.3", size=SLOT_BYTES + 4096)
    refused(board, large, "found a root of .* MB; wanted .* MB at most, in slot B")


def test_a_version_that_is_not_newer_needs_a_word_more(board: ThisBoard, keys: Path, tmp_path: Path,
                                                       capsys: pytest.CaptureFixture[str]) -> None:
    for version in (VERSION, "1.1.9"):
        older = bundle(tmp_path, keys, version)
        with pytest.raises(UpdateError, match=f"found version {version}; wanted one newer than 1.2.0, or --allow-downgrade"):
            update_now(board, str(older), allow_downgrade=False, restart=False)
    assert "signed with a key that this board trusts" in capsys.readouterr().out
    assert board.load().trial is None


def test_what_is_no_bundle_is_refused(board: ThisBoard, tmp_path: Path) -> None:
    (path := tmp_path / "noise.raucb").write_bytes(os.urandom(100_000))
    refused(board, path, "Invalid bundle format")
    path.write_bytes(b"")
    refused(board, path, "wanted a bundle")
    with pytest.raises(SettingsError, match="found no such file"):
        place_of(str(tmp_path / "none.raucb"))
    with pytest.raises(SettingsError, match="found no plain file"):
        place_of(str(tmp_path))


def test_a_bundle_comes_from_a_web_server(board: ThisBoard, good: Path) -> None:
    with served(good.parent) as port:
        place = f"http://127.0.0.1:{port}/{good.name}"
        assert newer(offer(board, place_of(place)))
        with pytest.raises(UpdateError, match="wanted a bundle that can be read"):
            offer(board, place + ".gone")
    with pytest.raises(UpdateError, match=r"ailed to connect|failed to configure streaming"):
        offer(board, place)


@pytest.mark.parametrize("address", ["ftp://example.org/a.raucb", "https:///a.raucb", "https://me:secret@example.org/a.raucb"])
def test_an_address_of_another_kind_is_refused(address: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        place_of(address)
    assert "secret" not in str(refusal.value)


def test_slots_are_marked_and_told(board: ThisBoard, folder: Path) -> None:
    """What the self-check does at each start of a proven slot, down to the boot loader."""
    assert confirm(board)
    assert (folder / "loader" / "calls").read_text() == "A good\n"
    assert (folder / "run" / "edge-audio-update").read_text() == "\n"
    assert board.load().proven == {"A": VERSION}
    told = status(board)
    assert told["slots"] == [
        {"slot": "A", "booted": True, "good": True, "next": True, "version": VERSION},
        {"slot": "B", "booted": False, "good": True, "next": False, "version": ""}]
    (folder / "loader" / "order").write_text("B\n")
    board.mark_active()
    assert (folder / "loader" / "order").read_text() == "A\n"


def test_an_installation_that_fails_leaves_what_runs(board: ThisBoard, keys: Path, tmp_path: Path) -> None:
    """rauc's own last words are told."""
    script("keys.sh", tmp_path / "theirs")
    with pytest.raises(UpdateError, match=r"signature.*wanted an installed update; the other slot is not booted"):
        board.install(str(bundle(tmp_path, tmp_path / "theirs", "9.0")), lambda line: None)
    assert board.system().primary == "A"


def test_no_rauc_is_told(folder: Path) -> None:
    with pytest.raises(UpdateError, match="wanted Debian's package rauc"):
        Rauc(folder / "etc/rauc/system.conf", "no-such-rauc").status()


def test_keys_and_roots_that_are_none_are_refused(keys: Path, tmp_path: Path) -> None:
    inside = Path(__file__).resolve().parents[2] / "deploy" / "keys"
    assert "inside the repository" in script("keys.sh", inside, code=2) and not inside.exists()
    assert "wanted FOLDER" in script("keys.sh", tmp_path, "old", code=2)
    root = root_image(tmp_path / "root.ext4", "new")
    assert "found IMAGE_VERSION 'new'" in script("bundle.sh", root, keys, tmp_path / "x.raucb", code=2)
    assert "wanted keys of deploy/image/keys.sh" in script("bundle.sh", root, tmp_path, tmp_path / "x.raucb", code=2)
    assert not (tmp_path / "x.raucb").exists()


def test_a_passphrase_keeps_the_authority(tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("correct horse\n")
    script("keys.sh", tmp_path / "keys", PASSPHRASE_FILE=str(tmp_path / "phrase"))
    assert "ENCRYPTED" in (tmp_path / "keys" / "ca.key.pem").read_text()
    assert (tmp_path / "keys" / "ca.key.pem").stat().st_mode & 0o077 == 0
