"""manifest.json and rows.json: read with every key checked; a manifest is written the same way every time."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from edge.errors import ModelError
from edge.model.json_table import Table as _Table
from edge.model.manifest import (
    SCHEMA,
    FileSpec,
    FrontEndSpec,
    GraphSpec,
    HeadSpec,
    Manifest,
    ModelTarget,
    TensorSpec,
)

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
    table = top_table(text, thing)
    manifest = Manifest(
        name=table.text("name"), version=table.text("version"), kind=table.text("kind"),
        licence=table.text("licence"), description=table.text("description"),
        sample_rate=table.integer("sample_rate"), patch_samples=table.integer("patch_samples"),
        labels=table.texts("labels"),
        front_end=_front_end(table.optional("front_end")),
        backbone=_graph(table.optional("backbone")),
        head=head_spec(table.table("head")) if table.values.get("head") is not None else None,
        whole=_graph(table.optional("whole")),
        bank=file_spec(table.optional("bank")),
        experimental=table.texts("experimental") if "experimental" in table.values else (),
        targets=model_targets(table),
        source=_source(table.optional("source")),
    )
    manifest.check(thing)
    return manifest


def top_table(text: str, thing: str) -> _Table:
    """The whole text as one table of this schema. Raises ModelError."""
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ModelError(thing, found=f"no JSON ({error})", wanted="a model's manifest") from error
    if not isinstance(parsed, dict):
        raise ModelError(thing, found=type(parsed).__name__, wanted="a table")
    table = _Table(thing, "", parsed)
    schema = table.integer("schema")
    if schema != SCHEMA:
        raise ModelError(f"{thing}: schema", found=str(schema), wanted=str(SCHEMA))
    return table


def manifest_text(manifest: Manifest) -> str:
    """The manifest as JSON, the same bytes for the same manifest; parts that a kind does not have are left out."""
    parts = {key: value for key, value in asdict(manifest).items() if value is not None}
    return json.dumps({"schema": SCHEMA} | parts, indent=1, ensure_ascii=False) + "\n"


def _tensor(table: _Table) -> TensorSpec:
    scale = table.number("scale") if "scale" in table.values else 0.0
    zero_point = table.integer("zero_point") if "zero_point" in table.values else 0
    return TensorSpec(table.sizes("shape"), table.text("dtype"), scale, zero_point)


def _graph(table: _Table | None) -> GraphSpec | None:
    if table is None:
        return None
    return GraphSpec(table.text("file"), table.text("sha256"), table.size("bytes"),
                     _tensor(table.table("input")), _tensor(table.table("output")))


def head_spec(table: _Table) -> HeadSpec:
    return HeadSpec(table.text("file"), table.text("sha256"), table.size("bytes"),
                    table.size("rows"), table.size("columns"))


def file_spec(table: _Table | None) -> FileSpec | None:
    return None if table is None else FileSpec(table.text("file"), table.text("sha256"), table.size("bytes"))


def _front_end(table: _Table | None) -> FrontEndSpec | None:
    return None if table is None else FrontEndSpec(table.text("name"), table.integer("version"))


def model_targets(table: _Table) -> tuple[ModelTarget, ...]:
    return tuple(_target(each) for each in table.tables("targets")) if "targets" in table.values else ()


def _target(table: _Table) -> ModelTarget:
    return ModelTarget(table.text("name"), table.texts("labels"), table.number("threshold"),
                       table.number("release_threshold"), table.flag("standard", default=True),
                       table.flag("impulsive", default=False))


def _source(table: _Table | None) -> dict[str, str]:
    return {} if table is None else {key: table.text(key) for key in table.values}
