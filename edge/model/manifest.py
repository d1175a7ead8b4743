"""What travels with a model: labels, tensors, digests, targets. Checked once, when a model is opened."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.quantisation import QUANTISED, dequantise, quantise
from edge.model.table import within
from edge.stream import BANDS, PATCH_FRAMES, PATCH_SAMPLES, SAMPLE_RATE

SCHEMA = 1
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
"""Names of models, and of files beside a manifest: they become paths, so nothing in them can lead elsewhere."""


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """A tensor as the manifest promises it. scale is 0.0 where it is not quantised."""

    shape: tuple[int, ...] = field(metadata=within(1))
    dtype: str
    scale: float = 0.0
    zero_point: int = 0

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)

    def to_cells(self, values: NDArray[np.float32], *, scratch: NDArray[np.float32] | None = None) -> NDArray[Any]:
        """float32 of any shape to this tensor's dtype, same shape. scratch: float32 memory that `quantise` may use."""
        if self.dtype not in QUANTISED:
            return values.astype(np.float32)
        return quantise(values, scale=self.scale, zero_point=self.zero_point, dtype=self.dtype, scratch=scratch)

    def to_real(self, cells: NDArray[Any]) -> NDArray[np.float32]:
        """Values in this tensor's dtype, any shape, to float32 of the same shape."""
        if self.dtype not in QUANTISED:
            return cells.astype(np.float32, copy=False)
        return dequantise(cells, scale=self.scale, zero_point=self.zero_point)

    def __str__(self) -> str:
        quantised = f", scale {self.scale:.9g}, zero point {self.zero_point}" if self.scale else ""
        return f"{self.dtype} {list(self.shape)}{quantised}"


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file beside the manifest. sha256 in lower-case hexadecimal."""

    file: str
    sha256: str
    bytes: int = field(metadata=within(1))

    def check(self, directory: Path) -> Path:
        """The file's path, once its size and digest are as promised. Raises ModelError."""
        path = self.check_size(directory)
        try:
            digest = file_sha256(path)
        except OSError as error:
            raise self._unread(path, error) from error
        if digest != self.sha256:
            raise ModelError(str(path), found=f"sha256 {digest}", wanted=f"{self.sha256}, as in manifest.json")
        return path

    def check_size(self, directory: Path) -> Path:
        """The file's path, once its size is as promised; nothing of it is read. Raises ModelError."""
        path = directory / self.file
        try:
            size = path.stat().st_size
        except OSError as error:
            raise self._unread(path, error) from error
        if size != self.bytes:
            raise ModelError(str(path), found=f"{size} bytes", wanted=f"{self.bytes} bytes, as in manifest.json")
        return path

    def _unread(self, path: Path, error: OSError) -> ModelError:
        return ModelError(str(path), found=error.strerror or str(error),
                          wanted=f"the {self.bytes} bytes that manifest.json names")


@dataclass(frozen=True, slots=True)
class GraphSpec(FileSpec):
    """A TFLite file with one input and one output: a backbone, or a whole model."""

    input: TensorSpec
    output: TensorSpec


@dataclass(frozen=True, slots=True)
class HeadSpec(FileSpec):
    """head.npz: `weights` float32 (rows, columns), `bias` float32 (rows,)."""

    rows: int = field(metadata=within(1))
    columns: int = field(metadata=within(1))


@dataclass(frozen=True, slots=True)
class FrontEndSpec:
    """The front end a backbone was made for; the app compares it with its own."""

    name: str
    version: int


@dataclass(frozen=True, slots=True)
class ModelTarget:
    """What a model offers to hear by itself: its labels, and thresholds on their highest score (0 to 1)."""

    name: str
    labels: tuple[str, ...]
    threshold: float
    release_threshold: float
    standard: bool = True
    """Heard where the settings name no target; otherwise only where they name it."""
    impulsive: bool = False
    """A sound without length (a clap, a knock): one event for each onset."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """manifest.json. kind "split": front_end, backbone and head; kind "whole": whole."""

    name: str
    version: str
    kind: str
    licence: str
    description: str
    sample_rate: int
    patch_samples: int
    labels: tuple[str, ...]
    front_end: FrontEndSpec | None = None
    backbone: GraphSpec | None = None
    head: HeadSpec | None = None
    whole: GraphSpec | None = None
    bank: FileSpec | None = None
    """Embeddings of sounds that a taught one must not be taken for; edge/learn/bank.py reads it."""
    experimental: tuple[str, ...] = ()
    """Labels that are weak, and said to be."""
    targets: tuple[ModelTarget, ...] = ()
    source: dict[str, str] = field(default_factory=dict)
    """Where it came from, in free words; `sha256` is the published file's."""

    @property
    def files(self) -> tuple[FileSpec, ...]:
        """Every file that belongs to the model."""
        return tuple(spec for spec in (self.backbone, self.head, self.whole, self.bank) if spec is not None)

    def check(self, thing: str) -> None:
        """See that the parts agree with each other. `thing` names the file in errors. Raises ModelError."""
        def refuse(key: str, found: object, wanted: object) -> None:
            raise ModelError(f"{thing}: {key}", found=str(found), wanted=str(wanted))

        if not NAME.fullmatch(self.name):
            refuse("name", repr(self.name), "letters, digits, '-', '_' and '.', 64 at most, no '.' first")
        if self.sample_rate != SAMPLE_RATE:
            refuse("sample_rate", self.sample_rate, SAMPLE_RATE)
        for spec in self.files:
            if not NAME.fullmatch(spec.file):
                refuse("file", repr(spec.file), "a plain file name beside the manifest")
        if not self.labels:
            refuse("labels", "none", "one for each score")
        twice = [label for label, count in Counter(self.labels).items() if count > 1]
        if twice:
            refuse("labels", f"{twice[0]!r} twice", "each label once")
        self._check_targets(refuse_at=thing)
        if self.kind == "split":
            if self.backbone is None or self.head is None or self.front_end is None:
                raise ModelError(f"{thing}: kind", found="split", wanted="front_end, backbone and head beside it")
            if self.patch_samples != PATCH_SAMPLES:
                refuse("patch_samples", self.patch_samples, PATCH_SAMPLES)
            if self.backbone.input.size != PATCH_FRAMES * BANDS:
                refuse("backbone.input", self.backbone.input, f"{PATCH_FRAMES} x {BANDS} values")
            if self.backbone.output.size != self.head.columns:
                refuse("head.columns", self.head.columns, f"{self.backbone.output.size}, as in backbone.output")
            if len(self.labels) != self.head.rows:
                refuse("labels", len(self.labels), f"{self.head.rows}, as head.rows")
        elif self.kind == "whole":
            if self.whole is None:
                raise ModelError(f"{thing}: kind", found="whole", wanted="a table 'whole' beside it")
            if self.whole.input.size != self.patch_samples:
                refuse("patch_samples", self.patch_samples, f"{self.whole.input.size}, as in whole.input")
            if self.bank is not None:
                refuse("bank", self.bank.file, "none: a whole model has no embeddings")
            if len(self.labels) != self.whole.output.size:
                refuse("labels", len(self.labels), f"{self.whole.output.size}, as in whole.output")
        else:
            refuse("kind", repr(self.kind), "split or whole")

    def _check_targets(self, *, refuse_at: str) -> None:
        unknown = [label for label in self.experimental if label not in self.labels]
        unknown += [label for target in self.targets for label in target.labels if label not in self.labels]
        if unknown:
            raise ModelError(f"{refuse_at}: labels of targets", found=repr(unknown[0]), wanted="a label of the model")
        for target in self.targets:
            if not target.labels:
                raise ModelError(f"{refuse_at}: target {target.name}", found="no labels", wanted="one or more")
            if not 0.0 <= target.release_threshold <= target.threshold <= 1.0:
                raise ModelError(f"{refuse_at}: target {target.name}",
                                 found=f"threshold {target.threshold}, release {target.release_threshold}",
                                 wanted="0 <= release_threshold <= threshold <= 1")


def file_sha256(path: Path) -> str:
    """Digest of a file, in lower-case hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def bytes_sha256(parts: Iterable[bytes]) -> str:
    """Digest of bytes, in lower-case hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
