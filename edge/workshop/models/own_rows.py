"""Rows of our own for a published file that we know: what `model install` adds to its labels.

A folder beside the embedded models, named as the known file is and without a manifest of its own, holds rows.json,
rows.npz, and perhaps a bank and cards. Only what we fitted is in it; nothing of the published file.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from edge.errors import ModelError
from edge.model.head import Head, load_head
from edge.model.manifest import SCHEMA, FileSpec, HeadSpec, Manifest, ModelTarget
from edge.model.table import json_table

ROWS = "rows.json"
BANK_LIST = "bank.json"
"""Beside a bank: its sources, their licences, its size. For people; no program reads it."""


@dataclass(frozen=True, slots=True)
class OwnRows:
    """rows.json. The files lie beside it."""

    backbone_sha256: str
    """The backbone that they were fitted on."""
    rows: HeadSpec
    labels: tuple[str, ...]
    """One for each row; none of them is a label of the published file."""
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    """Of a label: published label to how much of its row is added to ours, weights and bias."""
    experimental: tuple[str, ...] = ()
    targets: tuple[ModelTarget, ...] = ()
    """They replace the known file's own of the same name; others come behind."""
    bank: FileSpec | None = None


def load_own_rows(folder: Path) -> OwnRows:
    """Read `folder`/rows.json; the files beside it are not looked at. Raises ModelError."""
    path = folder / ROWS
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(str(path), found=error.strerror or str(error), wanted="rows of our own") from error
    return json_table(content, str(path), schema=SCHEMA, wanted="rows of our own").read(OwnRows)


def with_own_rows(manifest: Manifest, published: Head, own: OwnRows, folder: Path, backbone_sha256: str,
                  ) -> tuple[Manifest, Head]:
    """The published file's manifest and head with our rows behind its own.

    Raises ModelError where they were fitted on another backbone, or are not as rows.json says.
    """
    thing = str(folder / ROWS)
    if own.backbone_sha256 != backbone_sha256:
        raise ModelError(f"{thing}: backbone_sha256", found=own.backbone_sha256,
                         wanted=f"{backbone_sha256}, as was just cut")
    if len(own.labels) != own.rows.rows:
        raise ModelError(f"{thing}: labels", found=str(len(own.labels)), wanted=f"{own.rows.rows}, as rows.rows")
    ours = load_head(own.rows.check(folder), rows=own.rows.rows, columns=published.weights.shape[1])
    weights, bias = ours.weights.copy(), ours.bias.copy()
    for label, shares in own.shares.items():
        row = _place(own.labels, label, f"{thing}: shares")
        for name, share in shares.items():
            of = _place(manifest.labels, name, f"{thing}: shares.{label}")
            weights[row] += np.float32(share) * published.weights[of]
            bias[row] += np.float32(share) * published.bias[of]
    replaced = {target.name: target for target in own.targets}
    targets = [replaced.pop(target.name, target) for target in manifest.targets]
    merged = replace(manifest, labels=manifest.labels + own.labels, experimental=manifest.experimental + own.experimental,
                     targets=(*targets, *replaced.values()))
    return merged, Head(np.concatenate([published.weights, weights]), np.concatenate([published.bias, bias]))


def copy_bank(own: OwnRows, folder: Path, into: Path) -> FileSpec | None:
    """The bank, its list and the cards (*.md) into a model's folder. Raises ModelError, OSError."""
    for path in sorted(folder.glob("*.md")):
        shutil.copyfile(path, into / path.name)
    if own.bank is None:
        return None
    shutil.copyfile(own.bank.check(folder), into / own.bank.file)
    shutil.copyfile(folder / BANK_LIST, into / BANK_LIST)
    return own.bank


def _place(labels: Sequence[str], label: str, thing: str) -> int:
    if label not in labels:
        raise ModelError(thing, found=repr(label), wanted="a label that is there")
    return labels.index(label)
