"""What `model install` does with a file: a published TFLite split or taken whole, or a packed model unpacked."""

from __future__ import annotations

import math
import re
import shutil
from dataclasses import replace
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from edge.errors import ModelError
from edge.model.embedded import embedded_folder
from edge.model.head import save_head
from edge.model.manifest import FrontEndSpec, GraphSpec, HeadSpec, Manifest, bytes_sha256, file_sha256
from edge.model.manifest_file import MANIFEST, load_manifest, manifest_text
from edge.model.whole import packed_labels, read_labels, whole_tensors
from edge.stream import PATCH_SAMPLES, SAMPLE_RATE
from edge.workshop.models.bands import bands_tensors, passing_on, takes_bands
from edge.workshop.models.download import is_url
from edge.workshop.models.known import KNOWN
from edge.workshop.models.layout import OtherLayout
from edge.workshop.models.metadata import audio_properties
from edge.workshop.models.own_rows import ROWS, copy_bank, load_own_rows, with_own_rows
from edge.workshop.models.pack import shipped_names, unpack
from edge.workshop.models.split import Cut, SchemaMissing
from edge.workshop.models.trial import try_cut, try_directory, try_model

PUBLISHED = "whole.tflite"
"""The published file, kept beside its split: `bench` measures it, and a later version can cut it again."""
_YAMNET_FRONT_END = FrontEndSpec("logmel", 1)
"""The front end that files of YAMNet's layout expect: version 1 is held against the published file's own by a test."""


def build(file: Path, into: Path, *, thing: str, name: str | None, labels: Path | None, runtime: str,
          delegate: str = "") -> Manifest:
    """Make a model directory in `into` (there, and empty) of a published file or an archive; tried before it returns.

    thing: what the owner called the file, for errors. delegate: of a file that needs one. Raises ModelError and OSError.
    """
    with file.open("rb") as opened:
        head = opened.read(512)
    try:
        if head[4:8] == b"TFL3":
            manifest = _published(file, into, thing=thing, labels=labels, runtime=runtime, delegate=delegate)
        elif head[257:262] == b"ustar":
            if labels is not None:
                raise ModelError(thing, found="an archive, which has its labels, and --labels", wanted="one of them")
            manifest = _unpacked(file, into, thing=thing, runtime=runtime, delegate=delegate)
        else:
            raise ModelError(thing, found=f"a file beginning {head[:8]!r}" if head else "an empty file",
                             wanted="a TFLite model, or an archive made by edge-audio model pack")
        manifest = replace(manifest, name=name or manifest.name)
        manifest.check(thing)
        (into / MANIFEST).write_text(manifest_text(manifest), encoding="utf-8")
        try_directory(into, runtime=runtime, delegate=delegate)
        return manifest
    except ModelError as error:
        # The folder is gone when the owner reads this: what is named is the file that was given.
        raise type(error)(_as_given(error.thing, into, thing), found=_as_given(error.found, into, thing),
                          wanted=error.wanted) from error


def _as_given(text: str, into: Path, thing: str) -> str:
    return text.replace(f"{into / PUBLISHED}", thing).replace(f"{into}/", f"{thing}: ")


def _unpacked(file: Path, into: Path, *, thing: str, runtime: str, delegate: str) -> Manifest:
    unpack(file, into, thing=thing)
    manifest = load_manifest(into)
    for spec in manifest.files:
        spec.check(into)
    for graph in (manifest.backbone, manifest.whole):
        if graph is not None:
            try_model(into / graph.file, runtime=runtime, delegate=delegate)
    return manifest


def _published(file: Path, into: Path, *, thing: str, labels: Path | None, runtime: str, delegate: str) -> Manifest:
    content = file.read_bytes()
    digest = bytes_sha256([content])
    known = KNOWN.get(digest)
    published = into / PUBLISHED
    published.write_bytes(content)
    inputs, outputs = try_model(published, runtime=runtime, delegate=delegate)
    manifest = Manifest(
        name=known.name if known else _name_from(thing), version=known.version if known else "1", kind="split",
        licence=known.licence if known else "unknown",
        description=known.description if known else f"installed from {Path(thing).name}",
        sample_rate=SAMPLE_RATE, patch_samples=PATCH_SAMPLES, targets=known.targets if known else (),
        labels=read_labels(labels) if labels is not None else packed_labels(content, thing),
        source={"file": Path(thing).name, "sha256": digest})
    if takes_bands(inputs):
        published.unlink()
        given, made = bands_tensors(inputs, outputs, thing)
        return _write_split(into, manifest, Cut(content, given, made, passing_on(made.size), made))
    cut = _cut(published, into, thing, known=known is not None)
    if cut is None:
        _check_sound(content, thing)
        given, made = whole_tensors(inputs, outputs, thing)
        spec = GraphSpec(PUBLISHED, digest, len(content), given, made)
        return replace(manifest, kind="whole", whole=spec, patch_samples=math.prod(given.shape))
    if known is not None:
        ours = embedded_folder() / known.name
        if (ours / ROWS).is_file():
            manifest, cut = _with_own_rows(into, manifest, cut, ours)
        for calibration in shipped_names(ours):
            shutil.copyfile(ours / calibration, into / calibration)
    return _write_split(into, manifest, cut)


def _cut(published: Path, into: Path, thing: str, *, known: bool) -> Cut | None:
    """The file split, and held against itself; None for one that is to be taken whole.

    A known file is never taken whole because LiteRT is missing: its labels and targets belong to the split.
    """
    try:
        return try_cut(published, into, thing)
    except SchemaMissing:
        if known:
            raise
        return None
    except OtherLayout:
        return None


def _check_sound(content: bytes, thing: str) -> None:
    """Refuse a file that says it hears another rate; one that says nothing is taken to hear 16 kHz."""
    sound = audio_properties(content, thing)
    if sound is not None and sound != (SAMPLE_RATE, 1):
        raise ModelError(f"{thing}: metadata", found=f"{sound[0]} Hz, {sound[1]} channels",
                         wanted=f"{SAMPLE_RATE} Hz, 1 channel")


def _name_from(thing: str) -> str:
    """A model's name from a path or an address."""
    stem = PurePosixPath(urlsplit(thing).path).stem if is_url(thing) else Path(thing).stem
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-.")[:64] or "model"


def _with_own_rows(into: Path, manifest: Manifest, cut: Cut, folder: Path) -> tuple[Manifest, Cut]:
    own = load_own_rows(folder)
    manifest, head = with_own_rows(manifest, cut.head, own, folder, bytes_sha256([cut.backbone]))
    return replace(manifest, bank=copy_bank(own, folder, into)), replace(cut, head=head)


def _write_split(into: Path, manifest: Manifest, cut: Cut) -> Manifest:
    backbone, head = into / "backbone.tflite", into / "head.npz"
    backbone.write_bytes(cut.backbone)
    save_head(head, cut.head)
    rows, columns = cut.head.weights.shape
    return replace(
        manifest, front_end=_YAMNET_FRONT_END,
        backbone=GraphSpec(backbone.name, bytes_sha256([cut.backbone]), len(cut.backbone), cut.input, cut.output),
        head=HeadSpec(head.name, file_sha256(head), head.stat().st_size, rows, columns))
