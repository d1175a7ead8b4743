"""A model directory opened: patches in, scores out, whatever kind the model is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError, nearest
from edge.model.backbone import Backbone, check_tensors, open_backbone
from edge.model.head import Head, load_head, logistic
from edge.model.impulse import LookNetwork, LookSeries
from edge.model.look_offer import LookOffer
from edge.model.manifest import GraphSpec, Manifest, ModelTarget
from edge.model.manifest_file import load_manifest
from edge.model.runtime import Runtime, open_runtime
from edge.model.taught import Taught
from edge.stream import Patch, Scores

_FULL_SCALE = np.float32(1.0 / 32_768.0)
Wants = Literal["bands", "samples"]


class Model(Protocol):
    """What the listener holds. Belongs to one thread."""

    manifest: Manifest
    labels: tuple[str, ...]
    """One for each score, in their order: all of the model's, or the rows that were asked for."""
    wants: Wants
    """What `Patch.data` must be: "bands" (float32 (96, 64)) or "samples" (int16 (patch_samples,))."""
    patch_samples: int
    embedding_size: int
    """Values in an embedding; 0 for a whole model, which has none."""
    targets: tuple[ModelTarget, ...]
    """What the model offers to hear by itself; all of them, whichever rows are in use."""

    runtime_name: str
    """Runtime and version, such as "LiteRT 2.3.0": thresholds belong to a model and a runtime."""
    looks: LookNetwork | None
    """What looks at onsets beside the model; None: nothing does."""
    offers: tuple[LookOffer, ...]
    """Targets that looks may decide; none without `looks`."""
    series: tuple[LookSeries, ...]
    """Lasting targets that are series of onsets; none without `looks`."""

    @property
    def undelegated(self) -> str:
        """Empty, or what of the model or its look network no delegate took, for log and health."""

    @property
    def slow(self) -> bool:
        """Whether hearing costs several times as much, because of what is `undelegated`."""

    def describe(self) -> str:
        """One line for the log: model, rows, runtime, version, threads, XNNPACK."""

    def score(self, patch: Patch) -> Scores:
        """Run the model on one patch. Raises ModelError for a patch of another kind or shape."""


class _Opened:
    """What both kinds share."""

    def __init__(self, manifest: Manifest, rows: tuple[int, ...], runtime: Runtime) -> None:
        self.manifest = manifest
        self.runtime = runtime
        self.runtime_name = f"{runtime.name} {runtime.version}"
        self.labels = tuple(manifest.labels[row] for row in rows)
        self.patch_samples = manifest.patch_samples
        self.targets = manifest.targets
        self.looks: LookNetwork | None = None
        self.offers: tuple[LookOffer, ...] = ()
        self.series: tuple[LookSeries, ...] = ()

    @property
    def undelegated(self) -> str:
        said = {"model": self.runtime.undelegated, "look network": self.looks.runtime.undelegated if self.looks else ""}
        return "; ".join(f"{thing}: {words}" for thing, words in said.items() if words)

    @property
    def slow(self) -> bool:
        return self.runtime.slow or (self.looks is not None and self.looks.runtime.slow)

    def describe(self) -> str:
        used = f"{len(self.labels)} of {len(self.manifest.labels)} rows"
        title = f"model {self.manifest.name} {self.manifest.version} ({self.manifest.kind}, {used})"
        return f"{title}; {self.runtime.describe()}"


class Split(_Opened):
    """Backbone and head: bands in; scores, logits and embedding out."""

    wants: Wants = "bands"

    def __init__(self, manifest: Manifest, rows: tuple[int, ...], backbone: Backbone, head: Head) -> None:
        """head: the rows in use only, in the order of `rows`."""
        super().__init__(manifest, rows, backbone.runtime)
        self.backbone, self.head = backbone, head
        self.embedding_size = backbone.embedding_size

    def score(self, patch: Patch) -> Scores:
        if patch.data.dtype != np.float32:
            raise ModelError("patch", found=str(patch.data.dtype), wanted="float32 bands")
        embedding = self.backbone.embed(cast("NDArray[np.float32]", patch.data))
        logits = self.head.logits(embedding)
        return Scores(patch.position, logistic(logits), logits, embedding, patch.first)


class Whole(_Opened):
    """A classifier taken whole: samples in, scores out."""

    wants: Wants = "samples"
    embedding_size = 0

    def __init__(self, manifest: Manifest, rows: tuple[int, ...], runtime: Runtime, spec: GraphSpec) -> None:
        """runtime: with the file in it, checked against `spec`."""
        super().__init__(manifest, rows, runtime)
        self._input, self._output = spec.input, spec.output
        self._rows: NDArray[np.intp] | None = None
        if rows != tuple(range(len(manifest.labels))):
            self._rows = np.asarray(rows, dtype=np.intp)

    def score(self, patch: Patch) -> Scores:
        if patch.data.dtype != np.int16:
            raise ModelError("patch", found=str(patch.data.dtype), wanted="int16 samples")
        values = self.all_scores(cast("NDArray[np.int16]", patch.data))
        return Scores(patch.position, values if self._rows is None else values[self._rows], first=patch.first)

    def all_scores(self, samples: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16 (n,), exactly the model's length, to float32 (L,): a score for every label, in use or not.

        Raises ModelError for another shape.
        """
        if samples.shape != (self._input.size,):
            raise ModelError("patch", found=f"shape {list(samples.shape)}", wanted=f"[{self._input.size}]")
        shaped = samples.reshape(self._input.shape)
        made = self.runtime.run(shaped.astype(np.float32) * _FULL_SCALE if self._input.dtype == "float32" else shaped)
        return self._output.to_real(made.reshape(-1))


def open_model(directory: Path, *, runtime: str = "auto", threads: int = 1, delegate: str = "",
               rows: Sequence[str] | None = None, taught: Taught | None = None,
               manifest: Manifest | None = None, before: Model | None = None) -> Model:
    """Open the model in `directory`, checked once against its manifest: digests, shapes, dtypes, scales, labels.

    taught: sounds of the owner's, whose rows and labels follow the model's own. rows: labels to score, in this order;
    None: all. Fewer rows of a split model cost less memory and time. manifest: the directory's, where it was read before.
    before: opened in the same way, and to be given up for this one: where its file is the same, so is the runtime.
    Raises ModelError naming the file, what was found and what was wanted.
    """
    manifest = manifest if manifest is not None else load_manifest(directory)
    if taught is not None:
        taught.check(manifest)
        manifest = taught.extend(manifest)
    chosen = _rows(manifest, rows)
    if manifest.backbone is not None and manifest.head is not None:
        path = manifest.backbone.check(directory)
        if isinstance(before, Split) and before.manifest.backbone == manifest.backbone:
            backbone = Backbone(before.runtime, manifest.backbone)
        else:
            backbone = open_backbone(path, manifest.backbone, runtime=runtime, threads=threads, delegate=delegate)
        spec = manifest.head
        head = load_head(spec.check(directory), rows=spec.rows, columns=spec.columns)
        if taught is not None:
            head = taught.extend_head(head)
        return Split(manifest, chosen, backbone, head if rows is None else head.rows(chosen))
    assert manifest.whole is not None  # Manifest.check saw to it
    path = manifest.whole.check(directory)
    if isinstance(before, Whole) and before.manifest.whole == manifest.whole:
        return Whole(manifest, chosen, before.runtime, manifest.whole)
    opened = open_runtime(path, runtime=runtime, threads=threads, delegate=delegate)
    check_tensors(path, opened, manifest.whole)
    return Whole(manifest, chosen, opened, manifest.whole)


def _rows(manifest: Manifest, rows: Sequence[str] | None) -> tuple[int, ...]:
    if rows is None:
        return tuple(range(len(manifest.labels)))
    index = {label: row for row, label in enumerate(manifest.labels)}
    for label in rows:
        if label not in index:
            near = (nearest(label, index) or manifest.labels)[0]
            raise ModelError(f"model {manifest.name}: label", found=repr(label),
                             wanted=f"one of its {len(index)} labels, such as {near!r}")
    return tuple(index[label] for label in rows)
