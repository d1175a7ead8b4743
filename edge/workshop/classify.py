"""Classify a recording or an array by the listener's own path, and keep what it computes on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from edge.control.plan import plan_for
from edge.decision.targets import UNCALIBRATED, UNCORRECTED, Calibrated, Correction
from edge.errors import SettingsError, SourceError
from edge.listener import Listener
from edge.model.classifier import Model
from edge.settings import TargetSettings
from edge.sources.delivered import warn_of_low_rate
from edge.sources.recording import open_recording
from edge.stream import SAMPLE_RATE, Block, Event, Patch, Scores, StreamFormat
from edge.workshop.progress import Progress

MOST_CHANNELS = 64


@dataclass(frozen=True, slots=True)
class Classification:
    """What is in one sound, patch by patch: P patches, L labels, E values in an embedding, F frames of 10 ms.

    starts: float64 `(P,)`, seconds. scores: float32 `(P, L)`. embeddings: float32 `(P, E)`, and bands
    (log-mel): float32 `(F, 64)`; None where they were not asked for or the model has none. events: phase
    "end", in the order of their ends.
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
    judged: tuple[tuple[str, int, float], ...] = ()
    """Each judgement of an onset by looks: target, position of the onset, probability."""

    def best(self, patch: int, *, top: int = 5, score_threshold: float = 0.0, allow: Sequence[str] = (),
             deny: Sequence[str] = ()) -> dict[str, float]:
        """The highest scores of one patch, best first: at most `top` (0: all), at least `score_threshold`.

        allow: only these labels (none: all); deny: never these. Raises SettingsError for a label the model
        lacks.
        """
        check_labels((*allow, *deny), self.labels, self.model)
        row = self.scores[patch]
        order = [index for index in np.argsort(-row, kind="stable") if row[index] >= score_threshold
                 and (not allow or self.labels[index] in allow) and self.labels[index] not in deny]
        return {self.labels[index]: round(float(row[index]), 4) for index in order[: top or None]}

    def as_dict(self, **choice: Any) -> dict[str, object]:
        """The object that `classify --format json` prints, on which scripts rely; `choice` as for `best`."""
        return {
            "file": self.file, "duration_seconds": round(self.duration_seconds, 3), "model": self.model,
            "runtime": self.runtime, "hop_seconds": self.hop_seconds,
            "patches": [{"start_seconds": round(float(start), 3), "scores": self.best(patch, **choice)}
                        for patch, start in enumerate(self.starts)],
            "events": [{"target": event.target, "start_seconds": round(start, 3), "end_seconds": round(end, 3),
                        "probability": round(event.probability, 4)} for event, start, end in self.timed_events()]}

    def timed_events(self) -> list[tuple[Event, float, float]]:
        """Each event with its start and end in seconds, earliest start first."""
        return [(event, event.start / SAMPLE_RATE, (event.end or event.start) / SAMPLE_RATE)
                for event in sorted(self.events, key=lambda event: event.start)]


def check_labels(asked: Sequence[str], labels: Sequence[str], model: str) -> None:
    """Raise SettingsError for a label of `asked` that is none of the model's `labels`."""
    for label in asked:
        if label not in labels:
            raise SettingsError(f"label {label!r}", found="no such label", wanted=f"one of the {len(labels)} "
                                f"labels of {model} (edge-audio model show {model})")


class _Kept:
    """A sink, and an `on_scores`, that keep what passes; of embeddings and bands only what is asked for."""

    name = "kept"
    state = "ok"
    waiting_messages = 0

    def __init__(self, *, embeddings: bool, bands: bool) -> None:
        self.hop_frames = 1
        self._embeddings, self._bands = embeddings, bands
        self.positions: list[int] = []
        self.scores: list[NDArray[np.float32]] = []
        self.embeddings: list[NDArray[np.float32]] = []
        self.bands: list[NDArray[np.float32]] = []
        self.events: list[Event] = []
        self.judged: list[tuple[str, int, float]] = []

    def judge(self, target: str, position: int, probability: float) -> None:
        """Keep what was made of an onset."""
        self.judged.append((target, position, probability))

    def patch(self, patch: Patch, scores: Scores) -> None:
        """Keep what one patch gave; of its bands only those that the patch before it lacks."""
        if self._bands and patch.data.dtype == np.float32:
            rows = cast("NDArray[np.float32]", patch.data)
            self.bands.append(rows[-self.hop_frames:].copy() if self.positions else rows)
        if self._embeddings and scores.embedding is not None:
            self.embeddings.append(scores.embedding)
        self.positions.append(scores.position)
        self.scores.append(scores.values)

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
    hangs = False
    waiting_seconds = 0.0
    trouble = ""

    def __init__(self, blocks: Iterator[Block | None], total_seconds: float, progress: Progress | None) -> None:
        self._blocks = blocks
        self._total_seconds = total_seconds
        self._progress = progress
        self.seconds = 0.0

    def hurry(self, seconds: float) -> None:
        """Not live: never asked."""

    def blocks(self) -> Iterator[Block | None]:
        """The blocks, one by one, counted."""
        for block in self._blocks:
            if block is not None:
                self.seconds = (block.position + block.length) / block.format.rate
                if self._progress is not None:
                    self._progress(self.seconds, self._total_seconds)
            yield block

    def close(self) -> None:
        """Nothing to give back."""


def classify(model: Model, sound: str | Path | NDArray[Any], *, rate: int = SAMPLE_RATE, hop_seconds: float = 0.24,
             channel: int = -1, targets: Sequence[TargetSettings] = (),
             calibrations: Mapping[str, Calibrated] = UNCALIBRATED,
             corrections: Mapping[str, Correction] = UNCORRECTED, embeddings: bool = True, bands: bool = True,
             progress: Progress | None = None) -> Classification:
    """Classify a recording, by its path, or an array.

    sound: an array is int16, or float in -1 to 1, `(n,)` or `(n, channels)`, at `rate` Hz. The tail, and a
    sound shorter than a patch, are padded with silence, so that every sample is in a patch. calibrations,
    corrections: by target (`edge.control.loading.load_calibrations`). embeddings, bands: keep them; of an
    hour with YAMNet they are 60 and 90 MB. Raises SourceError for a sound that cannot be heard, SettingsError
    for targets that the model cannot serve.
    """
    kept = _Kept(embeddings=embeddings, bands=bands)
    plan = plan_for(model, targets, hop_seconds=hop_seconds, calibrations=calibrations, corrections=corrections)
    listener = Listener(plan, channel=channel, on_scores=kept.patch)
    plan.decision.tell(kept.judge)
    kept.hop_frames = round(hop_seconds * 100)  # the listener has checked it
    if isinstance(sound, np.ndarray):
        source = _Sound(_array_blocks(sound, rate), len(sound) / max(rate, 1), progress)
        listener.run(source, [kept])
    else:
        with open_recording(sound) as recording:
            source = _Sound(recording.blocks(), recording.duration_seconds, progress)
            listener.run(source, [kept])
    return Classification(
        file="array" if isinstance(sound, np.ndarray) else str(sound), duration_seconds=source.seconds,
        model=model.manifest.name, runtime=model.runtime_name, hop_seconds=hop_seconds,
        patch_samples=model.patch_samples, labels=tuple(model.labels),
        starts=np.array(kept.positions, np.float64) / SAMPLE_RATE,
        scores=np.stack(kept.scores) if kept.scores else np.zeros((0, len(model.labels)), np.float32),
        embeddings=np.stack(kept.embeddings) if kept.embeddings else None,
        bands=np.concatenate(kept.bands) if kept.bands else None, events=tuple(kept.events),
        judged=tuple(kept.judged))


def _array_blocks(sound: NDArray[Any], rate: int) -> Iterator[Block | None]:
    if sound.ndim not in (1, 2) or not sound.size or (sound.ndim == 2 and sound.shape[1] > MOST_CHANNELS):
        raise SourceError("array", found=f"shape {sound.shape}",
                          wanted=f"samples (n,) or (n, channels) with at most {MOST_CHANNELS} channels")
    if not (isinstance(rate, int) and rate > 0):
        raise SourceError("array", found=f"rate {rate!r}", wanted="a whole number of Hz")
    if np.issubdtype(sound.dtype, np.floating):
        samples = np.clip(np.rint(np.nan_to_num(sound) * 32768.0), -32768, 32767).astype(np.int16)
    elif sound.dtype == np.int16:
        samples = sound
    else:
        raise SourceError("array", found=f"dtype {sound.dtype}", wanted="int16, or float in -1 to 1")
    stream = StreamFormat(rate, 1 if sound.ndim == 1 else sound.shape[1])
    warn_of_low_rate(stream, "array")
    step = rate
    for start in range(0, len(samples), step):
        yield Block(np.ascontiguousarray(samples[start: start + step]).reshape(-1), start, stream)
