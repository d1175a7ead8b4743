"""manifest.json: read with every key checked, and written the same way every time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from edge.errors import ModelError
from edge.model.manifest import SCHEMA, Manifest
from edge.model.table import json_table

MANIFEST = "manifest.json"


def load_manifest(directory: Path) -> Manifest:
    """Read and check `directory`/manifest.json; the files beside it are not looked at.

    A key that this version does not know is left alone: what changes a meaning changes `schema`.
    Raises ModelError naming file, key, found and wanted.
    """
    path = directory / MANIFEST
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ModelError(str(path), found=error.strerror or str(error), wanted="a model's manifest") from error
    except UnicodeDecodeError as error:
        raise ModelError(str(path), found="bytes that are no UTF-8", wanted="a model's manifest in JSON") from error
    return parse_manifest(text, str(path))


def parse_manifest(text: str, thing: str) -> Manifest:
    """The manifest in `text`; `thing` names it in errors. Raises ModelError."""
    manifest = json_table(text, thing, schema=SCHEMA, wanted="a model's manifest").read(Manifest)
    manifest.check(thing)
    return manifest


def manifest_text(manifest: Manifest) -> str:
    """The manifest as JSON, the same bytes for the same manifest; parts that a kind does not have are left out."""
    parts = {key: value for key, value in asdict(manifest).items() if value is not None}
    return json.dumps({"schema": SCHEMA} | parts, indent=1, ensure_ascii=False) + "\n"
