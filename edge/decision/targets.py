"""What the settings ask for, resolved against what the model offers."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.errors import SettingsError
from edge.settings import TargetSettings
from edge.stream import SAMPLE_RATE

FALLBACK_THRESHOLD = 0.5
"""For a label of a model that suggests no threshold of its own."""

RELEASE_SHARE = 0.5
"""Release threshold as a share of the threshold, where neither settings nor model give one."""


class Suggestion(Protocol):
    """A standard target that comes with a model: labels and thresholds that were measured with it."""

    @property
    def name(self) -> str:
        """Name of the target."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the model that count."""

    @property
    def threshold(self) -> float:
        """Probability that starts an event."""

    @property
    def release_threshold(self) -> float:
        """Probability under which it may end."""

    @property
    def standard(self) -> bool:
        """Heard where the settings name no target."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to hear, ready to use: rows are int `(k,)` indices into the model's labels; durations in samples (16 kHz)."""

    name: str
    rows: NDArray[np.intp]
    threshold: float
    release_threshold: float
    minimum_duration: int
    release: int
    refractory: int


def resolve_targets(wanted: Sequence[TargetSettings], labels: Sequence[str],
                    suggestions: Sequence[Suggestion]) -> tuple[Target, ...]:
    """Targets of the settings, completed by the model's suggestions; its standard ones where the settings name none.

    Raises SettingsError for a label that the model does not have and for a target without labels.
    """
    known = {suggestion.name: suggestion for suggestion in suggestions}
    asked = wanted or tuple(TargetSettings(name=suggestion.name) for suggestion in suggestions if suggestion.standard)
    return tuple(_resolve(target, labels, known.get(target.name)) for target in asked)


def _resolve(target: TargetSettings, labels: Sequence[str], suggestion: Suggestion | None) -> Target:
    own = target.labels
    if not own and suggestion is not None:
        own = suggestion.labels
    elif not own and target.name in labels:
        own = (target.name,)
    if not own:
        raise SettingsError(f"target {target.name!r} labels", found="none, and the model suggests none",
                            wanted=f"labels of the model{_nearest(target.name, labels)}")
    rows = []
    for label in own:
        if label not in labels:
            raise SettingsError(f"target {target.name!r} labels", found=repr(label),
                                wanted=f"labels of the model{_nearest(label, labels)}")
        rows.append(labels.index(label))
    same = suggestion is not None and set(own) == set(suggestion.labels)
    threshold = target.threshold or (suggestion.threshold if same and suggestion else FALLBACK_THRESHOLD)
    release = target.release_threshold or (
        suggestion.release_threshold if same and suggestion and not target.threshold else threshold * RELEASE_SHARE)
    if release > threshold:
        raise SettingsError(f"target {target.name!r} release_threshold", found=f"{release}",
                            wanted=f"at most its threshold, {threshold}")
    return Target(
        name=target.name, rows=np.array(rows, np.intp), threshold=threshold, release_threshold=release,
        minimum_duration=round(target.minimum_duration_seconds * SAMPLE_RATE),
        release=round(target.release_seconds * SAMPLE_RATE),
        refractory=round(target.refractory_seconds * SAMPLE_RATE))


def _nearest(name: str, labels: Sequence[str]) -> str:
    folded = {label.lower(): label for label in labels}
    close = difflib.get_close_matches(name.lower(), list(folded), n=3, cutoff=0.5)
    inside = [label for low, label in folded.items() if name.lower() in low]
    names = list(dict.fromkeys([folded[low] for low in close] + inside))[:3]
    return f"; nearest: {', '.join(names)}" if names else ""
