"""Classify a recording or an array: the listener's own path, with everything kept that it computes on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError, SourceError
from edge.listener import Listener
from edge.model.classifier import Model
from edge.settings import SourceSettings, TargetSettings
from edge.sources.open import open_source
from edge.stats import Stats
from edge.stream import SAMPLE_RATE, Block, Event, Patch, Scores, StreamFormat

Progress = Callable[[float], None]
"""Called with the seconds heard so far."""


@dataclass(frozen=True, slots=True)
class Classification:
    """What is in one sound, patch by patch. P patches, L labels, E values in an embedding, F frames of 10 ms.

    starts: float64 `(P,)`, seconds. scores: float32 `(P, L)`. embeddings: float32 `(P, E)` and bands: float32 `(F, 64)`
    (log-mel), both None for a whole model. events: phase "end", in the order of their ends.
    """

    file: str
    duration_seconds: float
    model: str
    runtime: str
    hop_seconds: float
    patch_samples: int
    labels: tuple[str, ...]
    starts: NDArray[np.float64]
    scores: NDArray[np.float32]
    embeddings: NDArray[np.float32] | None
    bands: NDArray[np.float32] | None
    events: tuple[Event, ...]

    def best(self, patch: int, *, top: int = 5, score_threshold: float = 0.0, allow: Sequence[str] = (),
             deny: Sequence[str] = ()) -> dict[str, float]:
        """The highest scores of one patch, best first: at most `top` (0: all), at least `score_threshold`.

        allow: only these labels (none: all); deny: never these. Raises SettingsError for a label the model lacks.
        """
        for label in (*allow, *deny):
            if label not in self.labels:
                raise SettingsError(f"label {label!r}", found="no such label", wanted=f"one of the {len(self.labels)} "
                                    f"labels of {self.model} (edge-audio model show {self.model})")
        row = self.scores[patch]
        order = [index for index in np.argsort(-row, kind="stable") if row[index] >= score_threshold
                 and (not allow or self.labels[index] in allow) and self.labels[index] not in deny]
        return {self.labels[index]: round(float(row[index]), 4) for index in order[: top or None]}

    def as_dict(self, **choice: Any) -> dict[str, object]:
        """The object that `classify --format json` prints (design: interfaces that last); `choice` as for `best`."""
        return {
            "file": self.file, "duration_seconds": round(self.duration_seconds, 3), "model": self.model,
            "runtime": self.runtime, "hop_seconds": self.hop_seconds,
            "patches": [{"start_seconds": round(float(start), 3), "scores": self.best(patch, **choice)}
                        for patch, start in enumerate(self.starts)],
            "events": [{"target": event.target, "start_seconds": round(event.start / SAMPLE_RATE, 3),
                        "end_seconds": round((event.end or event.start) / SAMPLE_RATE, 3),
                        "probability": round(event.probability, 4)} for event in self.events]}


class _Kept:
    """A sink and an `on_scores` that keep what passes."""

    name = "kept"

    def __init__(self) -> None:
        self.patches: list[tuple[Patch, Scores]] = []
        self.events: list[Event] = []

    def start(self) -> None:
        """Nothing to take."""

    def event(self, event: Event) -> None:
        """Keep it once it has ended."""
        if event.phase == "end":
            self.events.append(event)

    def health(self, health: object) -> None:
        """Nobody asks."""

    def stop(self) -> None:
        """Nothing to give back."""


class _Sound:
    """A source that counts the seconds it gave, and that serves arrays as well as files."""

    live = False
    state = "ok"

    def __init__(self, blocks: Iterator[Block | None], progress: Progress | None) -> None:
        self._blocks = blocks
        self._progress = progress
        self.seconds = 0.0

    def blocks(self) -> Iterator[Block | None]:
        """The blocks, one by one, counted."""
        for block in self._blocks:
            if block is not None:
                self.seconds = (block.position + block.length) / block.format.rate
                if self._progress is not None:
                    self._progress(self.seconds)
            yield block

    def close(self) -> None:
        """Nothing to give back."""


def classify(model: Model, sound: str | Path | NDArray[Any], *, rate: int = SAMPLE_RATE, hop_seconds: float = 0.24,
             channel: int = -1, targets: Sequence[TargetSettings] = (),
             progress: Progress | None = None) -> Classification:
    """Classify a recording (path) or an array: int16 or float in -1..1, `(n,)` or `(n, channels)`, at `rate` Hz.

    The tail, and a sound shorter than a patch, are padded with silence, so every sample is in at least one patch.
    Raises SourceError for a sound that cannot be heard, SettingsError for targets the model cannot serve.
    """
    kept = _Kept()
    blocks = _array_blocks(sound, rate) if isinstance(sound, np.ndarray) else open_source(
        SourceSettings(kind="file", path=str(sound), paced=False), Stats()).blocks()
    source = _Sound(blocks, progress)
    listener = Listener(model, targets=targets, hop_seconds=hop_seconds, channel=channel,
                        on_scores=lambda patch, scores: kept.patches.append((patch, scores)))
    listener.run(source, [kept])
    scores = [scores for _, scores in kept.patches]
    embeddings = [entry.embedding for entry in scores if entry.embedding is not None]
    return Classification(
        file="array" if isinstance(sound, np.ndarray) else str(sound), duration_seconds=source.seconds,
        model=model.manifest.name, runtime=model.runtime_name, hop_seconds=hop_seconds,
        patch_samples=model.patch_samples, labels=tuple(model.labels),
        starts=np.array([entry.position / SAMPLE_RATE for entry in scores], np.float64),
        scores=np.stack([entry.values for entry in scores]) if scores else np.zeros((0, len(model.labels)), np.float32),
        embeddings=np.stack(embeddings) if embeddings else None,
        bands=_joined([patch for patch, _ in kept.patches], round(hop_seconds * 100)), events=tuple(kept.events))


def _joined(patches: Sequence[Patch], hop_frames: int) -> NDArray[np.float32] | None:
    """The overlapping patches' bands laid end to end, each frame once: float32 `(F, 64)`."""
    if not patches or patches[0].data.ndim != 2:
        return None
    rows = [patch.data if number == 0 else patch.data[-hop_frames:] for number, patch in enumerate(patches)]
    return np.concatenate(rows).astype(np.float32, copy=False)


def _array_blocks(sound: NDArray[Any], rate: int) -> Iterator[Block | None]:
    if sound.ndim not in (1, 2) or not sound.size:
        raise SourceError("array", found=f"shape {sound.shape}", wanted="samples (n,) or (n, channels)")
    if np.issubdtype(sound.dtype, np.floating):
        samples = np.clip(np.rint(np.nan_to_num(sound) * 32768.0), -32768, 32767).astype(np.int16)
    elif sound.dtype == np.int16:
        samples = sound
    else:
        raise SourceError("array", found=f"dtype {sound.dtype}", wanted="int16, or float in -1 to 1")
    stream = StreamFormat(rate, 1 if sound.ndim == 1 else sound.shape[1])
    step = rate
    for start in range(0, len(samples), step):
        yield Block(np.ascontiguousarray(samples[start: start + step]).reshape(-1), start, stream)
