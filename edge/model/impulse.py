"""The look network: a look at one onset in; logits of sounds without length, and an embedding, out.

It lies in a directory of its own, serves beside any model, and is checked as a model is: digests, tensors, versions.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.model.backbone import check_tensors
from edge.model.head import Head, against_the_others, load_head, logistic
from edge.model.look_offer import LookBeside, LookOffer, LookRows, Stage
from edge.model.manifest import NAME, SCHEMA, FileSpec, FrontEndSpec, GraphSpec, HeadSpec, bytes_sha256
from edge.model.manifest_file import MANIFEST
from edge.model.placing import disk_error
from edge.model.runtime import Runtime, open_runtime
from edge.model.table import json_table, within
from edge.stream import Scores

IMPULSE = "impulse"
"""The directory beside the embedded models; its name is no model's."""
UNCALIBRATED = Stage(1.0, 0.0)
"""The probability is the score."""


@dataclass(frozen=True, slots=True)
class LookTarget:
    """A label that is offered as a target. threshold: probability that starts an event, at either look.

    rise: what each dB by which the onset rises more than a typical one adds to a look's logit, before all else.
    """

    name: str
    threshold: float = field(metadata=within(0.0, 1.0))
    first: Stage
    second: Stage
    rise: float = field(default=0.0, metadata=within(0.0))


@dataclass(frozen=True, slots=True)
class LookSeries:
    """How onsets count beside the patches of a lasting target (`edge/decision/series.py`).

    backbone: SHA-256 of the backbone's file that gives the patches' logits. target: a model's. label: of this network.
    calibrated: how the target's logit became a probability where this was fitted. Under another calibration none serves.
    """

    backbone: str
    target: str
    label: str
    patch: float = field(metadata=within(0.0))
    onset: float
    look: float = field(metadata=within(0.0))
    offset: float
    calibrated: Stage = UNCALIBRATED


@dataclass(frozen=True, slots=True)
class ImpulseManifest:
    """manifest.json of the look network. look_version: of the looks that it was trained on."""

    name: str
    version: str
    licence: str
    description: str
    front_end: FrontEndSpec
    look_version: int
    network: GraphSpec
    head: HeadSpec
    labels: tuple[str, ...]
    targets: tuple[LookTarget, ...]
    besides: tuple[LookBeside, ...] = ()
    series: tuple[LookSeries, ...] = ()
    bank: FileSpec | None = None
    """Looks at onsets that a taught sound must not be taken for; edge/learn/look_bank.py reads it."""
    labelled: FileSpec | None = None
    """Looks at sounds of each target, which feedback should leave as they are; edge/learn/look_bank.py reads it."""
    source: dict[str, str] = field(default_factory=dict)
    """Where it came from, in free words."""

    def check(self, thing: str) -> None:
        """See that the parts agree with each other. `thing` names the file in errors. Raises ModelError."""
        def refuse(key: str, found: object, wanted: object) -> None:
            raise ModelError(f"{thing}: {key}", found=str(found), wanted=str(wanted))

        for spec in (self.network, self.head, self.bank, self.labelled):
            if spec is not None and not NAME.fullmatch(spec.file):
                refuse("file", repr(spec.file), "a plain file name beside the manifest")
        for key, names in (("labels", self.labels), ("targets", tuple(target.name for target in self.targets))):
            if twice := [name for name, count in Counter(names).items() if count > 1]:
                refuse(key, f"{twice[0]!r} twice", "each once")
        if len(self.labels) != self.head.rows:
            refuse("labels", len(self.labels), f"{self.head.rows}, as head.rows")
        if self.network.output.size != self.head.columns:
            refuse("head.columns", self.head.columns, f"{self.network.output.size}, as in network.output")
        for beside in self.besides:
            if beside.name not in {target.name for target in self.targets}:
                refuse("besides", repr(beside.name), "one of the targets")
        for one in self.series:
            if one.label not in self.labels:
                refuse("series", repr(one.label), f"one of the labels {', '.join(self.labels)}")
        pairs = Counter((one.backbone, one.target) for one in self.series)
        for (_, name), count in pairs.items():
            if count > 1:
                refuse("series", f"{name!r} twice for one backbone", "once")
        for target in self.targets:
            if target.name not in self.labels:
                refuse("targets", repr(target.name), f"one of the labels {', '.join(self.labels)}")

    def offers(self, backbone: str = "") -> tuple[LookOffer, ...]:
        """The targets with rows and digests. backbone: SHA-256 of that whose patches may count beside looks; "": none."""
        besides = {each.name: each for each in self.besides if each.backbone == backbone}
        return tuple(self._offer(one, besides.get(one.name)) for one in self.targets)

    def series_for(self, backbone: str) -> tuple[LookSeries, ...]:
        """Series whose patches are those of a backbone (its SHA-256)."""
        return tuple(one for one in self.series if one.backbone == backbone)

    def _offer(self, target: LookTarget, beside: LookBeside | None) -> LookOffer:
        made = (self.network.sha256, self.head.sha256, str(self.look_version), str(self.front_end.version))
        fitted = [*made, target.name, asdict(target.first), asdict(target.second), asdict(beside) if beside else None,
                  *([target.rise] if target.rise else [])]
        return LookOffer(target.name, self.labels.index(target.name), target.threshold, (target.first, target.second),
                         beside, bytes_sha256([json.dumps(fitted).encode()]), rise=target.rise)


class LookNetwork:
    """The network opened. Belongs to one thread."""

    def __init__(self, directory: Path, manifest: ImpulseManifest, *, runtime: str, threads: int,
                 more: LookRows | None = None, before: LookNetwork | None = None) -> None:
        """See `open_impulse`. Raises ModelError where a file is not what the manifest says."""
        self.manifest = manifest
        self.labels = manifest.labels + (more.labels if more is not None else ())
        self._more = more
        path = manifest.network.check(directory)
        self.head: Head = load_head(manifest.head.check(directory), rows=manifest.head.rows, columns=manifest.head.columns)
        if before is not None and before.manifest.network == manifest.network:
            self.runtime: Runtime = before.runtime
        else:
            self.runtime = open_runtime(path, runtime=runtime, threads=threads)
            check_tensors(path, self.runtime, manifest.network)
        self._scratch = np.empty(manifest.network.input.shape[1:], np.float32)

    @property
    def sha256(self) -> str:
        """Digest of the network's file: what its embeddings belong to."""
        return self.manifest.network.sha256

    def see(self, cells: NDArray[np.float32], position: int) -> Scores:
        """What a look says: cells float32, in the input's shape, of the onset at `position`. Raises ModelError."""
        wanted, made = self.manifest.network.input, self.manifest.network.output
        if (1, *cells.shape) != wanted.shape:
            raise ModelError("look", found=f"shape {list(cells.shape)}", wanted=f"{list(wanted.shape[1:])}")
        given = wanted.to_cells(cells, scratch=self._scratch).reshape(wanted.shape)
        return self.say(made.to_real(self.runtime.run(given).reshape(-1)), position)

    def say(self, embedding: NDArray[np.float32], position: int) -> Scores:
        """What a look of this embedding, float32 `(E,)`, says of the onset at `position`."""
        logits = against_the_others(self.head.logits(embedding))
        if self._more is not None:
            logits = np.concatenate((logits, self._more.weights @ embedding + self._more.bias))
        return Scores(position, logistic(logits), logits, embedding, network=self.sha256)

    def logits(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """Of many looks, float32 `(..., E)`: float32 `(..., labels)`."""
        found = against_the_others(embeddings @ self.head.weights.T + self.head.bias)
        if self._more is None:
            return found
        return np.concatenate((found, embeddings @ self._more.weights.T + self._more.bias), axis=-1)

    def describe(self) -> str:
        """One line for the log: version, digest, what XNNPACK took."""
        return (f"look network {self.manifest.version} (sha256 {self.sha256[:12]}, {len(self.labels)} labels); "
                f"{self.runtime.describe()}")


def load_impulse_manifest(directory: Path) -> ImpulseManifest:
    """Read and check `directory`/manifest.json; the files beside it are not looked at. Raises ModelError."""
    path = directory / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise disk_error(path, error, "the look network's manifest (a complete installation has it)") from error
    manifest = json_table(content, str(path), schema=SCHEMA, wanted="the look network's manifest").read(ImpulseManifest)
    manifest.check(str(path))
    return manifest


def impulse_text(manifest: ImpulseManifest) -> str:
    """The manifest as JSON, the same bytes for the same manifest."""
    return json.dumps({"schema": SCHEMA} | asdict(manifest), indent=1, ensure_ascii=False) + "\n"


def open_impulse(directory: Path, *, front_end: int, look_version: int, shape: tuple[int, ...],
                 runtime: str = "auto", threads: int = 1, manifest: ImpulseManifest | None = None,
                 more: LookRows | None = None, before: LookNetwork | None = None) -> LookNetwork:
    """Open the look network in `directory`.

    front_end, look_version, shape: the program's own rows and looks; a network made for others is refused. manifest:
    the directory's, where it was read before. more: rows that were taught, beside the head's. before: opened in the same
    way, and to be given up for this one: where its file is the same, so is the runtime.
    Raises ModelError naming file, found and wanted.
    """
    manifest = manifest or load_impulse_manifest(directory)
    for key, found, wanted in (("front_end.version", manifest.front_end.version, front_end),
                               ("look_version", manifest.look_version, look_version),
                               ("network.input", list(manifest.network.input.shape), [1, *shape])):
        if found != wanted:
            raise ModelError(f"{directory / MANIFEST}: {key}", found=str(found), wanted=str(wanted))
    return LookNetwork(directory, manifest, runtime=runtime, threads=threads, more=more, before=before)
