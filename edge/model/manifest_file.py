"""manifest.json: read with every key checked, and written the same way every time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from edge.model.manifest import SCHEMA, Manifest
from edge.model.placing import disk_error
from edge.model.table import json_table

MANIFEST = "manifest.json"


def load_manifest(directory: Path) -> Manifest:
    """Read and check `directory`/manifest.json; the files beside it are not looked at.

    A key that this version does not know is left alone: what changes a meaning changes `schema`.
    Raises ModelError naming file, key, found and wanted.
    """
    path = directory / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise disk_error(path, error, "a model's manifest") from error
    return parse_manifest(content, str(path))


def parse_manifest(content: str | bytes, thing: str) -> Manifest:
    """The manifest that a JSON text holds; `thing` names the text in errors. Raises ModelError."""
    manifest = json_table(content, thing, schema=SCHEMA, wanted="a model's manifest").read(Manifest)
    manifest.check(thing)
    return manifest


def manifest_text(manifest: Manifest) -> str:
    """The manifest as JSON, the same bytes for the same manifest; parts that a kind does not have are left out."""
    parts = {key: value for key, value in asdict(manifest).items() if value is not None}
    return json.dumps({"schema": SCHEMA} | parts, indent=1, ensure_ascii=False) + "\n"
