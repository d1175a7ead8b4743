"""A TFLite audio classifier that is taken whole: its tensors, and its labels from inside the file or beside it."""

from __future__ import annotations

import io
import math
import zipfile
from pathlib import Path

from edge.errors import ModelError
from edge.model.manifest import TensorSpec
from edge.model.quantisation import QUANTISED
from edge.model.runtime import TensorInfo

_LABELS_LIMIT = 1 << 20
"""Bytes that a label list may have: YAMNet's 521 labels take 6,230."""


def whole_tensors(inputs: tuple[TensorInfo, ...], outputs: tuple[TensorInfo, ...],
                  thing: str) -> tuple[TensorSpec, TensorSpec]:
    """Input and output of a classifier that can be used whole.

    One input, float32 (-1 to 1) or int16, shape (n,) or (1, n); one output, float32 or quantised, shape (L,) or
    (1, L). Raises ModelError for anything else: several patches at once, a length left open, a spectrogram.
    """
    wanted_in, wanted_out = "one waveform, float32 or int16 [n] or [1, n]", "one row of scores, [L] or [1, L]"
    if len(inputs) != 1:
        raise ModelError(f"{thing}: input", found=f"{len(inputs)} tensors", wanted=wanted_in)
    if len(outputs) != 1:
        raise ModelError(f"{thing}: output", found=f"{len(outputs)} tensors", wanted=wanted_out)
    given, made = inputs[0], outputs[0]
    if given.dtype not in ("float32", "int16") or not _is_row(given.shape) or given.shape[-1] < 400:
        raise ModelError(f"{thing}: input", found=str(given), wanted=f"{wanted_in}, n at least 400")
    if made.dtype not in ("float32", *QUANTISED) or not _is_row(made.shape) or (made.dtype != "float32"
                                                                                and not made.scale):
        raise ModelError(f"{thing}: output", found=str(made), wanted=wanted_out)
    return given.spec, made.spec


def _is_row(shape: tuple[int, ...]) -> bool:
    return len(shape) in (1, 2) and shape[-1] > 0 and math.prod(shape) == shape[-1]


def packed_labels(model: bytes, thing: str) -> tuple[str, ...]:
    """Labels from inside a TFLite file with metadata: the file is also a zip that holds one list of labels.

    Raises ModelError if there is none, or more than one.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(model)) as archive:
            lists = [entry for entry in archive.infolist() if entry.filename.lower().endswith(".txt")]
            if len(lists) != 1:
                raise ModelError(f"{thing}: labels", found=f"{len(lists)} label lists inside",
                                 wanted="one; else name a text file (--labels)")
            if lists[0].file_size > _LABELS_LIMIT:
                raise ModelError(f"{thing}: labels", found=f"{lists[0].file_size} bytes",
                                 wanted=f"{_LABELS_LIMIT} at most")
            text = archive.read(lists[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise ModelError(f"{thing}: labels", found="none packed inside", wanted="a text file (--labels)") from error
    return parse_labels(text, f"{thing}: {lists[0].filename}")


def read_labels(path: Path) -> tuple[str, ...]:
    """Labels from a text file, one a line. Raises ModelError."""
    try:
        with path.open("rb") as file:
            text = file.read(_LABELS_LIMIT + 1)
    except OSError as error:
        raise ModelError(str(path), found=error.strerror or str(error), wanted="a list of labels") from error
    if len(text) > _LABELS_LIMIT:
        raise ModelError(str(path), found="more than a mebibyte", wanted="a list of labels, one a line")
    return parse_labels(text, str(path))


def parse_labels(text: bytes, thing: str) -> tuple[str, ...]:
    """One label a line, UTF-8; blank lines at the end are left out. Raises ModelError."""
    try:
        lines = text.decode("utf-8-sig").rstrip().splitlines()
    except UnicodeDecodeError as error:
        raise ModelError(thing, found="bytes that are no UTF-8", wanted="one label a line") from error
    labels = tuple(line.strip() for line in lines)
    if not labels or not all(labels):
        raise ModelError(thing, found="an empty line" if labels else "no labels", wanted="one label a line")
    return labels
