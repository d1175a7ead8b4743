"""Writes edge-audio.rpi-imager-manifest, by which Raspberry Pi Imager offers an image with its questions.

    python deploy/image/manifest.py IMAGE OUTPUT [--url URL] [--version VERSION] [--date YYYY-MM-DD] [--icon URL]

IMAGE is an .img, or one compressed as .xz, .gz or .zst. Without --url Imager takes the image from where it lies on this
machine; a URL that ends with / is a folder.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import lzma
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import IO, Any, cast

DEVICES = ("pi3-64bit", "pi4-64bit")
"""Imager's words for Pi 3, 3+ and Zero 2 W, and for Pi 4, 400 and CM4. A Pi 5 does not start from this image."""
ICON = "icons/use_custom.png"
"""Comes with Imager."""
PIECE = 1 << 20


def manifest(image: Path, *, url: str = "", version: str = "", day: str = "", icon: str = ICON) -> dict[str, Any]:
    """The document for one image. url: "" for the file as it lies here. Raises ValueError or OSError."""
    found = re.search(r"-(\d[\w.+~]*)-arm64\.img", image.name)
    version = version or (found.group(1) if found else "")
    if not version:
        raise ValueError(f"{image.name}: found no version in the name; wanted edge-audio-VERSION-arm64.img, or --version")
    day = date.fromisoformat(day or datetime.now(UTC).date().isoformat()).isoformat()
    with _opened(image) as whole:
        size, digest = _measured(whole)
    with image.open("rb") as packed:
        packed_size, packed_digest = _measured(packed)
    if size == 0 or size % 512:
        raise ValueError(f"{image.name}: found {size} bytes; wanted whole sectors of a disk")
    return {"os_list": [{
        "name": f"edge-audio {version}",
        "description": "Hears claps, alarms and more, and says so over MQTT and on GPIO pins (Pi 3, 3+, Zero 2 W, 4)",
        "icon": icon,
        "url": _url(image, url),
        "extract_size": size,
        "extract_sha256": digest,
        "image_download_size": packed_size,
        "image_download_sha256": packed_digest,
        "release_date": day,
        "devices": list(DEVICES),
        "architecture": "armv8",
        "init_format": "cloudinit",
    }]}


def _url(image: Path, url: str) -> str:
    if not url:
        return image.resolve().as_uri()
    if not re.match(r"(https?|file)://[^\s]+$", url):
        raise ValueError(f"--url: found {url!r}; wanted http://, https:// or file://, and where the image lies")
    return f"{url}{image.name}" if url.endswith("/") else url


@contextmanager
def _opened(image: Path) -> Iterator[IO[bytes]]:
    """The image as it comes onto a card."""
    if image.suffix == ".zst":
        with subprocess.Popen(["zstd", "-dcq", image], stdout=subprocess.PIPE) as process:
            yield cast(IO[bytes], process.stdout)
        if process.returncode:
            raise OSError(f"zstd: {image.name}: exit code {process.returncode}")
        return
    if image.suffix == ".xz":
        with lzma.open(image) as file:
            yield cast(IO[bytes], file)
    elif image.suffix == ".gz":
        with gzip.open(image) as file:
            yield cast(IO[bytes], file)
    elif image.suffix == ".img":
        with image.open("rb") as file:
            yield file
    else:
        raise ValueError(f"{image.name}: found {image.suffix or 'no ending'}; wanted .img, .img.xz, .img.gz or .img.zst")


def _measured(file: IO[bytes]) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while piece := file.read(PIECE):
        size += len(piece)
        digest.update(piece)
    return size, digest.hexdigest()


def main(arguments: list[str] | None = None) -> int:
    """Write the manifest. Exit code 2 where an argument cannot be used."""
    parser = argparse.ArgumentParser(description="Write the manifest by which Raspberry Pi Imager offers an image.")
    parser.add_argument("image", type=Path, help="the image, compressed or not")
    parser.add_argument("output", type=Path, help="the manifest, such as edge-audio.rpi-imager-manifest")
    parser.add_argument("--url", default="", help="where others get the image; the folder, where the URL ends with /")
    parser.add_argument("--version", default="", help="the image's version; else that in its name")
    parser.add_argument("--date", default="", help="the day of the release, YYYY-MM-DD; else today")
    parser.add_argument("--icon", default=ICON, help="URL of a picture of 40 x 40 points")
    options = parser.parse_args(arguments)
    try:
        document = manifest(options.image, url=options.url, version=options.version, day=options.date, icon=options.icon)
        options.output.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    except (ValueError, OSError, EOFError, lzma.LZMAError) as error:
        print(f"deploy/image/manifest.py: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
