"""A model as one ordinary TFLite file for phone apps: composed, tried, and held against the appliance's own scores."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.errors import ModelError
from edge.features.frontend import FrontEnd
from edge.features.logmel import LOG_OFFSET, hann_window, mel_weights
from edge.model.classifier import Model, Split
from edge.model.placing import replacing
from edge.model.runtime import open_runtime
from edge.stream import FRAME_SAMPLES, FRAME_STEP, PATCH_FRAMES, SAMPLE_RATE, Block, StreamFormat
from edge.workshop.models.compose import FrontEndTables, export_split, export_whole
from edge.workshop.models.metadata import Description
from edge.workshop.models.split import SchemaMissing
from edge.workshop.models.trial import try_model

TOLERANCE = 0.05
"""How far a score may be off the appliance's own: the file's spectrum is rounded otherwise in its last bits, which moves
a few bands in a million to the neighbouring int8 step."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written. difference: of its scores to the appliance's own, the worst on the sounds it was tried on."""

    labels: int
    bytes: int
    difference: float


def export(model: Model, directory: Path, output: Path, *, runtime: str = "auto") -> Exported:
    """Write the model opened from `directory`, every row that it has now, taught ones included, to `output`.

    output: a new file, a regular one to replace, or a link to either. runtime: tries the file before it gets its name.
    Raises ModelError for a file that cannot be written or scores otherwise than the appliance, and SchemaMissing where
    LiteRT is not installed; what was there is left as it was.
    """
    with replacing(output) as temporary:
        try:
            content = _compose(model, directory)
        except SchemaMissing as error:
            raise SchemaMissing(error.thing, found="no LiteRT on this machine, whose schema a new file needs",
                                wanted="a machine with LiteRT (edge-audio model pack carries the model there)") from error
        temporary.write_bytes(content)
        try:
            try_model(temporary, runtime=runtime)
            difference = _difference(model, temporary, runtime)
        except ModelError as error:
            raise ModelError(error.thing.replace(str(temporary), str(output)), found=error.found,
                             wanted=error.wanted) from error
        if not difference <= TOLERANCE:
            raise ModelError(str(output), found=f"scores {difference:.3f} off the appliance's own",
                             wanted=f"{TOLERANCE} at most")
        return Exported(len(model.labels), len(content), difference)


def _compose(model: Model, directory: Path) -> bytes:
    manifest = model.manifest
    about = Description(manifest.name, manifest.version, manifest.licence, manifest.description)
    if isinstance(model, Split) and manifest.backbone is not None:
        path = manifest.backbone.check(directory)
        tables = FrontEndTables(hann_window(FRAME_SAMPLES), mel_weights(), LOG_OFFSET, FRAME_STEP, PATCH_FRAMES)
        return export_split(path.read_bytes(), manifest.backbone, model.head, model.labels, tables, about, str(path))
    assert manifest.whole is not None  # Manifest.check saw to it
    path = manifest.whole.check(directory)
    return export_whole(path.read_bytes(), manifest.whole, model.labels, about, str(path))


def _difference(model: Model, file: Path, runtime: str) -> float:
    """The largest difference of a score between the file and the appliance's own way, on a few made-up sounds."""
    exported = open_runtime(file, runtime=runtime)
    worst = 0.0
    for samples in _sounds(model.patch_samples):
        front_end = FrontEnd(wants=model.wants, patch_samples=model.patch_samples,
                             hop_seconds=min(0.48, model.patch_samples // FRAME_STEP / 100))
        (patch,) = front_end.push(Block(samples, 0, StreamFormat(SAMPLE_RATE, 1)))
        made = exported.run((samples / np.float32(32_768.0)).astype(np.float32).reshape(exported.inputs[0].shape))
        scores = exported.outputs[0].spec.to_real(made.reshape(-1))
        worst = max(worst, float(np.abs(scores - model.score(patch).values).max()))
    return worst


def _sounds(count: int) -> Iterator[NDArray[np.int16]]:
    """Silence, hiss from faint to loud, clicks, and a rising tone: int16 `(count,)`, the same every time."""
    noise = np.random.default_rng(0).standard_normal(count)
    seconds = np.arange(count) / SAMPLE_RATE
    clicks = noise * np.exp(-40.0 * (seconds % 0.3))
    rising = np.sin(2.0 * np.pi * (300.0 + 2_000.0 * seconds) * seconds)
    for loud, sound in ((0.0, noise), (3.0, noise), (300.0, noise), (8_000.0, clicks), (12_000.0, rising)):
        yield np.clip(np.rint(loud * sound), -32_768, 32_767).astype(np.int16)
