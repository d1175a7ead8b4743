"""Pictures, with matplotlib (extra `plot`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from edge.classification import Classification
from edge.errors import SettingsError, SourceError
from edge.stream import SAMPLE_RATE

TICKS = (125, 250, 500, 1000, 2000, 4000, 7500)


def _share(hertz: float) -> float:
    """Where a frequency lies on the mel scale (HTK) between 125 and 7500 Hz, 0 to 1."""
    low, high, here = (math.log1p(value / 700.0) for value in (125.0, 7500.0, hertz))
    return (here - low) / (high - low)


def _highest(result: Classification, top: int, labels: Sequence[str] | None) -> list[int]:
    """Rows of the labels to draw, highest first."""
    for label in labels or ():
        if label not in result.labels:
            raise SettingsError(f"label {label!r}", found="no such label", wanted=f"a label of {result.model}")
    order = [int(row) for row in np.argsort(-result.scores.max(axis=0), kind="stable")
             if labels is None or result.labels[row] in labels]
    if not order:
        raise SettingsError("labels", found="none to draw", wanted="one or more")
    return order[:top]


def plot_classification(result: Classification, path: Path, *, top: int = 10,
                        labels: Sequence[str] | None = None) -> None:
    """Write a picture (PNG, whatever its name): log-mel bands over time, the highest scores beneath, events as bars.

    labels: draw the highest of these only; None: of all. Raises SourceError for a path that cannot be written and for
    a classification without patches, SettingsError for a label that the model lacks.
    """
    if not len(result.scores):
        raise SourceError(result.file, found="no sound", wanted="a recording")
    order = _highest(result, top, labels)
    figure, (upper, lower) = plt.subplots(
        2, 1, sharex=True, figsize=(11, 3.2 + 0.28 * len(order)), layout="constrained",
        height_ratios=[3.0, 0.6 + 0.28 * len(order)])
    end = max(result.duration_seconds, result.patch_samples / SAMPLE_RATE)
    if result.bands is not None:
        frames = result.bands[: round(end * 100)]
        upper.imshow(frames.T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(frames) / 100, 0, 64))
        upper.set_yticks([64 * _share(hertz) for hertz in TICKS], [f"{hertz / 1000:g} kHz" for hertz in TICKS])
    else:
        upper.text(0.5, 0.5, "a model that takes the waveform has no bands", transform=upper.transAxes, ha="center")
    upper.set_title(f"{Path(result.file).name}: {result.model} on {result.runtime}, hop {result.hop_seconds:g} s")
    half = result.hop_seconds / 2
    centre = result.patch_samples / SAMPLE_RATE / 2
    # A patch is drawn as one hop around its middle, so that patches lie side by side and under their sound.
    lower.imshow(result.scores[:, order].T, aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest",
                 extent=(centre - half, centre - half + len(result.scores) * result.hop_seconds, len(order) - 0.5, -0.5))
    lower.set_yticks(range(len(order)), [result.labels[label] for label in order], fontsize=8)
    lower.set_xlabel("seconds")
    lower.set_facecolor(plt.get_cmap("viridis")(0.0))
    for event in result.events:
        start, stop = event.start / SAMPLE_RATE, (event.end or event.start) / SAMPLE_RATE
        upper.axvspan(start, max(stop, start + 0.03), ymin=0.95, color="cyan")
        upper.text(start, 58, event.target, color="cyan", fontsize=8, va="top")
    upper.set_xlim(0, end)
    figure.colorbar(lower.images[0], ax=lower, label="score")
    try:
        figure.savefig(path, dpi=110, format="png")
    except (OSError, ValueError) as error:
        raise SourceError(f"--plot {path}", found=str(error), wanted="a file name that can be written, such as out.png"
                          ) from error
    finally:
        plt.close(figure)
