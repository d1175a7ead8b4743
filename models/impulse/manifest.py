"""The manifest that travels with the look network: tensors, digests, labels, and how its logits become probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edge.features.logmel import FRONT_END_VERSION
from edge.features.look import LOOK_VERSION
from edge.model.impulse import (
    ImpulseManifest,
    LookBeside,
    LookSeries,
    LookTarget,
    Stage,
    impulse_text,
    load_impulse_manifest,
)
from edge.model.manifest import FrontEndSpec, GraphSpec, HeadSpec, file_sha256
from edge.model.manifest_file import MANIFEST
from edge.model.runtime import open_runtime

NETWORK, HEAD = "look.tflite", "head.npz"
DESCRIPTION = "Looks at one onset over the room's floor: claps, snaps, knocks, keys, glass, taps, or none of them."

Platt = tuple[float, float]
"""Scale and offset of a logit."""


def write_manifest(folder: Path, labels: Sequence[str], targets: Mapping[str, tuple[float, Platt, Platt]], *,
                   besides: Sequence[LookBeside] = (), rises: Mapping[str, float] | None = None,
                   series: Sequence[LookSeries] | None = None, version: str = "1",
                   source: Mapping[str, str] | None = None) -> ImpulseManifest:
    """Write manifest.json beside look.tflite and head.npz, and give what it holds.

    labels: in the order of the head's rows. targets: of each label that may be one its threshold (a probability), and
    scale and offset of the first look (EARLY rows) and of the second (AFTER rows): logistic(scale * logit + offset).
    rises: what a dB of an onset's rise adds to a look's logit, by target.
    besides: how patches of some backbones count beside looks. series: None: those of the manifest that lies there, if one
    does (series.py makes them). That manifest's bank and labelled looks stay if they are of this network (bank.py and
    labelled.py make them).
    Raises ModelError where the parts do not fit each other.
    """
    network, head = folder / NETWORK, folder / HEAD
    with np.load(head) as arrays:
        rows, columns = arrays["weights"].shape
    runtime = open_runtime(network)
    before = load_impulse_manifest(folder) if (folder / MANIFEST).is_file() else None
    if series is None:
        series = before.series if before is not None else ()
    digest = file_sha256(network)
    same = before if before is not None and before.network.sha256 == digest else None
    manifest = ImpulseManifest(
        name="impulse", version=version, licence="Apache-2.0", description=DESCRIPTION,
        front_end=FrontEndSpec("logmel", FRONT_END_VERSION), look_version=LOOK_VERSION,
        network=GraphSpec(NETWORK, digest, network.stat().st_size,
                          runtime.inputs[0].spec, runtime.outputs[0].spec),
        head=HeadSpec(HEAD, file_sha256(head), head.stat().st_size, rows, columns),
        labels=tuple(labels),
        targets=tuple(LookTarget(name, threshold, Stage(*first), Stage(*second), (rises or {}).get(name, 0.0))
                      for name, (threshold, first, second) in targets.items()),
        besides=tuple(besides), series=tuple(series),
        bank=same.bank if same is not None else None, labelled=same.labelled if same is not None else None,
        source=dict(source or {"made_by": "models/impulse/train.py"}))
    manifest.check(str(folder / MANIFEST))
    (folder / MANIFEST).write_text(impulse_text(manifest), encoding="utf-8")
    return manifest
