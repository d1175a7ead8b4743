"""The manifest for Raspberry Pi Imager: true to the image, and of the form that Imager's own schema asks for."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from deploy.image.manifest import main, manifest

REQUIRED = {"name": str, "description": str, "icon": str, "url": str, "extract_size": int, "extract_sha256": str,
            "image_download_size": int, "release_date": str}
"""What Imager's os-list-schema.json (raspberrypi/rpi-imager, doc/json-schema, at 71754dd) asks of an entry, with types."""
OPTIONAL = {"init_format": str, "website": str}
TOP = {"imager", "os_list"}
"""The only keys that the schema allows at the top."""
FORMATS = {"", "none", "systemd", "cloudinit", "cloudinit-rpi"}
CONTENT = b"edge-audio\0" * 512 * 100


def problems(document: Any) -> list[str]:
    """What that schema, and Imager's notes on it (doc/schema-notes.md), would not have."""
    if not isinstance(document, dict) or not isinstance(document.get("os_list"), list):
        return ["os_list is no list"]
    wrong = [f"{key} at the top" for key in document.keys() - TOP]
    for entry in document["os_list"]:
        wrong += [f"{key} is missing" for key in REQUIRED if key not in entry]
        wrong += [f"{key} is no {kind.__name__}" for key, kind in (REQUIRED | OPTIONAL).items()
                  if key in entry and (not isinstance(entry[key], kind) or isinstance(entry[key], bool))]
        if entry.get("init_format") not in FORMATS:
            wrong.append("init_format is unknown")
        if not isinstance(entry.get("devices"), list) or not entry["devices"]:
            wrong.append("devices is empty")
    return wrong


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "edge-audio-1.2.3-arm64.img"
    path.write_bytes(CONTENT)
    return path


def test_it_is_what_imager_asks_for_and_true(image: Path, tmp_path: Path) -> None:
    packed = image.with_suffix(".img.xz")
    packed.write_bytes(lzma.compress(CONTENT))
    output = tmp_path / "edge-audio.rpi-imager-manifest"
    assert main([str(packed), str(output), "--url", "https://example.org/images/", "--date", "2026-11-29"]) == 0
    document = json.loads(output.read_text())
    assert problems(document) == []
    entry, = document["os_list"]
    assert entry["name"] == "edge-audio 1.2.3" and entry["url"] == f"https://example.org/images/{packed.name}"
    assert entry["extract_size"] == len(CONTENT) and entry["extract_sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert entry["image_download_size"] == packed.stat().st_size
    assert entry["image_download_sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert entry["init_format"] == "cloudinit" and entry["release_date"] == "2026-11-29"
    assert entry["devices"] == ["pi3-64bit", "pi4-64bit"] and entry["architecture"] == "armv8"


@pytest.mark.big
@pytest.mark.parametrize("ending", [".img", ".img.gz", ".img.zst"])
def test_every_compression_gives_the_same_image(image: Path, ending: str) -> None:
    packed = image.with_suffix(ending)
    if ending == ".img.gz":
        packed.write_bytes(gzip.compress(CONTENT))
    elif ending == ".img.zst":
        if shutil.which("zstd") is None:
            pytest.skip("zstd is not installed")
        subprocess.run(["zstd", "-q", image, "-o", packed], check=True)
    document = manifest(packed)
    assert problems(document) == []
    assert document["os_list"][0]["extract_sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert document["os_list"][0]["url"] == packed.as_uri()


@pytest.mark.parametrize(("name", "content", "options", "said"), [
    ("card.img", CONTENT, [], "card.img: found no version in the name"),
    ("edge-audio-1-arm64.img", b"short", [], "found 5 bytes; wanted whole sectors"),
    ("edge-audio-1-arm64.img.xz", b"no xz", [], "deploy/image/manifest.py: Input format not supported"),
    ("edge-audio-1-arm64.img.zip", b"", [], "found .zip; wanted .img, .img.xz"),
    ("edge-audio-1-arm64.img", CONTENT, ["--url", "example.org"], "--url: found 'example.org'; wanted http://"),
    ("edge-audio-1-arm64.img", CONTENT, ["--date", "today"], "Invalid isoformat string"),
])
def test_what_cannot_be_used_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, content: bytes,
                                     options: list[str], said: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert main([str(tmp_path / name), str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_the_judge_judges() -> None:
    assert problems({"os_list": [{}], "more": 1})[:2] == ["more at the top", "name is missing"]
    assert "devices is empty" in problems({"os_list": [{"devices": []}]})
    assert "extract_size is no int" in problems({"os_list": [{"extract_size": "5"}]})
