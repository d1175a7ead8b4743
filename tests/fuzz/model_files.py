"""Models: TFLite files that are installed, packed models, manifests. A file may crash its trial, and nothing else."""

from __future__ import annotations

import io
import json
import os
import random
import select
import shutil
import signal
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from edge.errors import ModelError
from edge.model.classifier import open_model
from edge.model.embedded import embedded_folder
from edge.model.impulse import ImpulseManifest, load_impulse_manifest
from edge.model.manifest_file import MANIFEST, manifest_text, parse_manifest
from edge.model.proof import forms
from edge.model.table import json_table
from edge.workshop.models import trial
from edge.workshop.models.build import build
from edge.workshop.models.own_rows import OwnRows
from edge.workshop.models.pack import unpack
from tests.fuzz import graphs, mutation
from tests.model.model_tiny import LABELS, classifier, pack_labels

OPENED_EVERY = 50
"""Manifests that can be read: so many to one that is also opened, with its model's real files."""
TRIAL_SECONDS = 10.0
LARGEST_PARSED = 32_768
"""Bytes of a model that is changed by its tables: a larger one takes long to be packed again."""


def asked_in_a_fork(thing: Path, *words: object) -> Mapping[str, Any]:
    """What `trial.asked` gives, from a fork of this process: a hundred times as fast as a new Python."""
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.close(reads)
        try:
            trial.bounded()
            with open(writes, "w") as told:  # noqa: PTH123
                told.write(json.dumps(trial.answer([str(word) for word in words])))
        finally:
            os._exit(0)
    os.close(writes)
    with open(reads, "rb") as told:  # noqa: PTH123
        text = b""
        while (ready := select.select([told], [], [], TRIAL_SECONDS)[0]) and (part := os.read(told.fileno(), 1 << 16)):
            text += part
    if not ready:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        raise trial.crashed(thing, os.WTERMSIG(status))
    try:
        told_words = json.loads(text)
    except ValueError as error:
        raise ModelError(str(thing), found="an error that is none of ours", wanted="a TFLite model") from error
    return trial.taken(told_words)


class ModelFile:
    """`edge-audio model install FILE`: the first byte says whether labels are given beside it."""

    allowed = (ModelError,)
    forked = True

    def __init__(self, folder: Path) -> None:
        self._folder, self._file, self._labels = folder, folder / "given.tflite", folder / "labels.txt"
        self._labels.write_text("\n".join(LABELS))
        if self.forked:
            trial.asked = asked_in_a_fork

    def seeds(self) -> Sequence[bytes]:
        made = {"float": classifier(), "int16": classifier(dtype="INT16"), "quantised": classifier(quantised=True),
                "two": classifier(outputs=2), "open": classifier(signature=(1, -1)), "sound": classifier(sound=(16_000, 1)),
                "bands": classifier(compiled=True, shape=(1, 96, 64)),
                "scores": classifier(quantised=True, shape=(1, 96, 64))}
        seeds = [b"L" + content for content in made.values()]
        for name, content in made.items():
            path = self._folder / f"{name}.tflite"
            path.write_bytes(content)
            pack_labels(path)
            seeds.append(b"-" + path.read_bytes())
        return [*seeds, b"L" + (embedded_folder() / "impulse" / "look.tflite").read_bytes(), b"L"]

    def try_one(self, data: bytes) -> None:
        self._file.write_bytes(data[1:])
        into = self._folder / "new"
        into.mkdir()
        try:
            build(self._file, into, thing="given.tflite", name="given", labels=self._labels if data[:1] == b"L" else None,
                  runtime="litert")
        finally:
            shutil.rmtree(into)

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        if len(data) < LARGEST_PARSED and chance.random() < 0.7:
            try:
                return data[:1] + graphs.changed(data[1:], chance)
            except Exception:  # a file that was changed before, of which the schema makes nothing
                pass
        tokens = (b"TFL3", b"PK\x03\x04", b"PK\x05\x06", b"TFLITE_METADATA", b"M001", bytes(8))
        if chance.random() < 0.6:  # most of the rest is weights, which have no wrong bytes
            at = chance.choice((0, max(len(data) - 2_000, 0)))
            return data[:at + 1] + mutation.of_bytes(data[at + 1:at + 2_000], chance, tokens=tokens) + data[at + 2_000:]
        return data[:1] + mutation.of_bytes(data[1:], chance, tokens=tokens)


class Archive:
    """`edge-audio model install ARCHIVE`, as far as its manifest and files are taken out of the archive."""

    allowed = (ModelError,)

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "given.tar"

    def seeds(self) -> Sequence[bytes]:
        files = {MANIFEST: b"{}", "backbone.tflite": b"TFL3" * 4, "head.npz": b"PK"}
        return [_tar({f"ears/{name}": content for name, content in files.items()}, form) for form in
                (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)] + [
            _tar(files, tarfile.USTAR_FORMAT), _tar({"é" * 120: b"x", MANIFEST: b"{}"}, tarfile.PAX_FORMAT), bytes(1_024)]

    def try_one(self, data: bytes) -> None:
        self._file.write_bytes(data)
        into = self._folder / "new"
        into.mkdir()
        try:
            unpack(self._file, into, thing="given.tar")
            assert (into / MANIFEST).is_file() and len(list(into.iterdir())) <= 16
        finally:
            shutil.rmtree(into)
        assert sorted(path.name for path in self._folder.iterdir()) == [self._file.name]  # nothing beside it

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        tokens = (b"../", b"/", b"x", b"S", b"L", b"K", b"\x80" + bytes(11), b"12 path=")
        changed = mutation.of_bytes(data, chance, tokens=tokens)
        if chance.random() < 0.7:  # right sums again, or none but the first header is looked at
            changed = _summed(changed)
        return changed


class ManifestFile:
    """manifest.json of a model, of the look network, and rows.json: the first byte says which."""

    allowed = (ModelError,)

    def __init__(self, folder: Path) -> None:
        self._own, self._looks = folder / "model", folder / "looks"
        for own in (self._own, self._looks):
            own.mkdir()
        for file in ("backbone.tflite", "head.npz"):
            (self._own / file).symlink_to(embedded_folder() / "starter" / file)
        self._good = 0

    def seeds(self) -> Sequence[bytes]:
        starter, looks = ((embedded_folder() / name / MANIFEST).read_bytes() for name in ("starter", "impulse"))
        whole = json.dumps({
            "schema": 1, "name": "ears", "version": "1", "kind": "whole", "licence": "unknown", "description": "",
            "sample_rate": 16_000, "patch_samples": 1_600, "labels": list(LABELS), "source": {"sha256": "0"},
            "whole": {"file": "whole.tflite", "sha256": "0", "bytes": 5, "input": {"shape": [1, 1_600], "dtype": "float32"},
                      "output": {"shape": [1, 3], "dtype": "uint8", "scale": 0.004, "zero_point": 0}}}).encode()
        return [b"M" + starter, b"I" + looks, b"R" + (embedded_folder() / "yamnet" / "rows.json").read_bytes(), b"M" + whole]

    def try_one(self, data: bytes) -> None:
        kind, text = data[:1], data[1:]
        if kind == b"I":
            (self._looks / MANIFEST).write_bytes(text)
            looks: ImpulseManifest = load_impulse_manifest(self._looks)
            assert len(looks.offers(looks.series[0].backbone if looks.series else "")) == len(looks.targets)
        elif kind == b"R":
            json_table(text, "rows.json", schema=1, wanted="rows of our own").read(OwnRows)
        else:
            manifest = parse_manifest(text, "manifest.json")
            assert parse_manifest(manifest_text(manifest), "manifest.json") == manifest
            assert len(str(manifest.files)) and len(forms(manifest)) == 2
            self._good += 1
            if self._good % OPENED_EVERY == 1:
                open_model(self._own, manifest=manifest)

    def mutate(self, data: bytes, chance: random.Random) -> bytes:
        return data[:1] + mutation.of_json(data[1:], chance)


def _tar(files: Mapping[str, bytes], form: int) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=form) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()[:8_192]


def _summed(data: bytes) -> bytes:
    """The archive with the sum of each block that looks like a header made right."""
    made = bytearray(data)
    for at in range(0, len(made) - 511, 512):
        if made[at + 257:at + 262] == b"ustar":
            made[at + 148:at + 156] = b"        "
            made[at + 148:at + 156] = b"%06o\0 " % sum(made[at:at + 512])
    return bytes(made)
