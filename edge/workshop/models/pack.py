"""One archive that carries a model to another board: a plain tar, the same bytes for the same model."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path, PurePosixPath

from edge.errors import ModelError
from edge.model.manifest import NAME, Manifest
from edge.model.manifest_file import MANIFEST
from edge.workshop.models.download import LIMIT
from edge.workshop.models.own_rows import BANK_LIST

_ENTRIES = 16
"""Files that an archive may hold: a model has four, and perhaps a card and the bank's list of sources."""


def write_pack(directory: Path, manifest: Manifest, output: Path) -> None:
    """Write the model in `directory` to `output`: manifest, its files; cards (*.md), calibrations and the bank's list.

    The published file that a split came from stays out. Raises OSError.
    """
    names = [MANIFEST, *(spec.file for spec in manifest.files)]
    names += sorted(path.name for path in directory.iterdir()
                    if (path.suffix == ".md" and NAME.fullmatch(path.name)) or path.name == BANK_LIST)
    names += shipped_names(directory)
    with tarfile.open(output, "w", format=tarfile.USTAR_FORMAT) as archive:
        for name in names:
            content = (directory / name).read_bytes()
            # Owner, mode and time stay at the same values, so that the same model gives the same archive.
            entry = tarfile.TarInfo(f"{manifest.name}/{name}")
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))


def shipped_names(directory: Path) -> list[str]:
    """The calibrations that lie beside a model: one for each runtime that it was calibrated on."""
    return sorted(path.name for path in directory.glob("calibration-*.json") if NAME.fullmatch(path.name))


def unpack(archive: Path, into: Path, *, thing: str = "") -> None:
    """Put the files of an archive into the directory `into`, which is there and empty.

    Nothing but plain files of plain names, in one folder or none, bounded in number and size, is taken; the manifest
    is for the caller to check. thing: names the archive in errors; empty: its path. Raises ModelError for anything
    else, for a truncated archive too.
    """
    thing = thing or str(archive)
    total = 0
    folders: set[PurePosixPath] = set()
    try:
        with tarfile.open(archive, "r:") as tar:
            for count, entry in enumerate(tar, 1):
                if entry.isdir():
                    continue
                path = PurePosixPath(entry.name)
                folders.add(path.parent)
                total += entry.size
                if not entry.isreg() or not NAME.fullmatch(path.name) or len(path.parts) > 2 or len(folders) > 1 \
                        or path.is_absolute() or ".." in path.parts or (into / path.name).exists():
                    raise _refuse(thing, f"an entry {entry.name!r}")
                if count > _ENTRIES or total > LIMIT:
                    raise _refuse(thing, f"{count} entries of {total} bytes and more")
                content = tar.extractfile(entry)
                data = content.read() if content else b""
                if len(data) != entry.size:
                    raise _refuse(thing, "a truncated archive")
                (into / path.name).write_bytes(data)
    except ModelError:
        raise
    except (tarfile.TarError, EOFError, ValueError, OverflowError, MemoryError) as error:
        # The last two of an extended header that says it has more bytes than any file.
        raise _refuse(thing, f"a broken archive ({error})") from error
    if not (into / MANIFEST).is_file():
        raise _refuse(thing, f"no {MANIFEST}")


def _refuse(thing: str, found: str) -> ModelError:
    return ModelError(thing, found=found, wanted="an archive made by edge-audio model pack")
