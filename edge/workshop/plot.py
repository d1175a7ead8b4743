"""Pictures, with matplotlib (extra `plot`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from edge.errors import SettingsError, SourceError
from edge.learn.calibrate import threshold_logit
from edge.learn.evaluate import OTHER, Confusion
from edge.learn.figures import reliability
from edge.learn.labelled import Worth
from edge.learn.probability import balanced
from edge.learn.tail import Share, alarms_per_day, fit_tail
from edge.model.calibration import TargetCalibration
from edge.stream import SAMPLE_RATE
from edge.workshop.classify import Classification, check_labels

TICKS = (125, 250, 500, 1000, 2000, 4000, 7500)


def _share(hertz: float) -> float:
    """Where a frequency lies on the mel scale (HTK) between 125 and 7500 Hz, 0 to 1."""
    low, high, here = (math.log1p(value / 700.0) for value in (125.0, 7500.0, hertz))
    return (here - low) / (high - low)


def _highest(result: Classification, top: int, labels: Sequence[str] | None) -> list[int]:
    """Columns of `result.scores` to draw: those of the highest scores first, then what else raised an event."""
    check_labels(labels or (), result.labels, result.model)
    order = [int(row) for row in np.argsort(-result.scores.max(axis=0), kind="stable")
             if labels is None or result.labels[row] in labels]
    if not order:
        raise SettingsError("labels", found="none to draw", wanted="one or more")
    heard = {event.label for event, _, _ in result.timed_events()}
    return order[:top] + [row for row in order[top:] if result.labels[row] in heard]


def plot_classification(result: Classification, path: Path, *, top: int = 10,
                        labels: Sequence[str] | None = None) -> None:
    """Write the picture of `classification_figure` (PNG, whatever its name).

    Raises SourceError for a path that cannot be written, and what `classification_figure` raises.
    """
    _save(classification_figure(result, top=top, labels=labels), path)


def classification_figure(result: Classification, *, top: int = 10, labels: Sequence[str] | None = None) -> Figure:
    """A picture: log-mel bands over time, below them the events of each target, then scores.

    Scores are those of the `top` highest labels, and of every label that raised an event.

    labels: draw the highest of these only; None: of all. Raises SourceError for a classification without
    patches, SettingsError for a label that the model lacks. Whoever asks for the picture closes it.
    """
    if not len(result.scores):
        raise SourceError(result.file, found="no sound", wanted="a recording")
    order = _highest(result, top, labels)
    targets = list(dict.fromkeys(event.target for event, _, _ in result.timed_events()))
    heights = [3.0, 0.3 + 0.22 * max(len(targets), 1), 0.6 + 0.28 * len(order)]
    figure, (upper, middle, lower) = plt.subplots(3, 1, sharex=True, figsize=(11, 0.5 + sum(heights)), layout="constrained",
                                                  height_ratios=heights)
    end = max(result.duration_seconds, result.patch_samples / SAMPLE_RATE)
    upper.set_title(f"{Path(result.file).name}: {result.model} on {result.runtime}, hop {result.hop_seconds:g} s")
    _bands(upper, result, end)
    _events(middle, result, targets, shortest=end / 400.0)
    _scores(lower, result, order)
    upper.set_xlim(0, end)
    figure.colorbar(lower.images[0], ax=lower, label="score")
    return figure


def _bands(axes: Axes, result: Classification, end: float) -> None:
    if result.bands is None:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "a model that takes the waveform has no bands", transform=axes.transAxes, ha="center")
        return
    frames = result.bands[: round(end * 100)]
    axes.imshow(frames.T, origin="lower", aspect="auto", cmap="magma", extent=(0, len(frames) / 100, 0, 64))
    axes.set_yticks([64 * _share(hertz) for hertz in TICKS], [f"{hertz / 1000:g} kHz" for hertz in TICKS])


def _events(axes: Axes, result: Classification, targets: Sequence[str], *, shortest: float) -> None:
    """A row of bars for each target. shortest: of a bar, in seconds, to be seen in a long sound."""
    for row, target in enumerate(targets):
        bars = [(start, max(end - start, shortest)) for event, start, end in result.timed_events() if event.target == target]
        axes.broken_barh(bars, (row - 0.35, 0.7), color="tab:cyan", edgecolor="black", linewidth=0.4)
    axes.set_yticks(range(len(targets)), targets, fontsize=8)
    axes.set_ylim(max(len(targets), 1) - 0.5, -0.5)
    axes.set_ylabel("events" if targets else "no event", fontsize=8)
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)


def _scores(axes: Axes, result: Classification, order: Sequence[int]) -> None:
    half = result.hop_seconds / 2
    centre = result.patch_samples / SAMPLE_RATE / 2
    # A patch is drawn as one hop around its middle, so that patches lie side by side and under their sound.
    axes.imshow(result.scores[:, order].T, aspect="auto", cmap="viridis", vmin=0, vmax=1, interpolation="nearest",
                extent=(centre - half, centre - half + len(result.scores) * result.hop_seconds, len(order) - 0.5, -0.5))
    axes.set_yticks(range(len(order)), [result.labels[label] for label in order], fontsize=8)
    axes.set_xlabel("seconds")
    axes.set_facecolor(plt.get_cmap("viridis")(0.0))


MOST_TARGETS = 12


def plot_calibration(found: Sequence[tuple[str, TargetCalibration, Worth | None]], path: Path) -> None:
    """Write a picture (PNG) of a calibration: for each target its reliability and its misses.

    Reliability: how often a probability was right, before and after. Misses: what each threshold misses,
    against the false alarms that it gives. Raises SettingsError for more than MOST_TARGETS, SourceError for a
    path that cannot be written.
    """
    if len(found) > MOST_TARGETS:
        raise SettingsError("--plot", found=f"{len(found)} targets", wanted=f"{MOST_TARGETS} at most (--target NAME)")
    columns = 2 if any(worth is not None for _, _, worth in found) else 1
    figure, axes = plt.subplots(len(found), columns, figsize=(5 * columns + 1, 0.6 + 3.2 * len(found)),
                                layout="constrained", squeeze=False)
    for (target, entry, worth), places in zip(found, axes, strict=True):
        if worth is not None:
            _reliability(places[0], target, entry, worth)
        _misses(places[-1], target, entry)
    _save(figure, path)


def _reliability(axes: Axes, target: str, entry: TargetCalibration, worth: Worth) -> None:
    axes.set_title(f"{target}: reliability", fontsize=10)
    axes.set(xlim=(0, 1), ylim=(-0.03, 1.03), xlabel="probability", ylabel="share that was the target")
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    weights = balanced(worth.present)
    for name, values, colour, error in (("bare score", worth.before, "tab:orange", entry.expected.error_before),
                                        ("calibrated, out of fold", worth.after, "tab:blue", entry.expected.error_after)):
        curve = reliability(values, worth.present, weights)
        axes.plot(curve.probability, curve.share, color=colour, linewidth=1, alpha=0.5, label=f"{name}: error {error:.3f}")
        axes.scatter(curve.probability, curve.share, s=8 + 150 * curve.weight / curve.weight.sum(), color=colour, alpha=0.7)
    axes.legend(loc="best", fontsize=8, title="larger circles: more sounds", title_fontsize=8)


def _misses(axes: Axes, target: str, entry: TargetCalibration) -> None:
    axes.set_title(f"{target}: misses against false alarms", fontsize=10)
    if entry.positives is None:
        axes.text(0.5, 0.5, "no recording of it is known", ha="center", transform=axes.transAxes)
        axes.set(xticks=[], yticks=[])
        return
    kinds = [("room", entry.room, 24.0, "tab:green"), ("varied sound", entry.negatives, entry.varied_hours, "tab:purple")]
    shares = [Share(fit_tail(peaks), hours) for _, peaks, hours, _ in kinds if peaks is not None and hours]
    positives = np.array(entry.positives.logits)
    top = max([positives[-1], *(share.tail.peaks.logits[0] for share in shares if share.tail.peaks.logits)])
    logits = np.linspace(min(positives[0], threshold_logit(entry)) - 1.0, top + 2.0, 300)
    missed = np.array([np.mean(positives < logit) for logit in logits])
    for name, peaks, hours, colour in kinds:
        if peaks is not None and hours:
            one = Share(fit_tail(peaks), hours)
            alarms = np.array([alarms_per_day([one], logit) for logit in logits])
            counted = np.array([not one.tail.extrapolated(logit) for logit in logits])
            for mine, style, how in ((counted, "-", "counted"), (~counted, ":", "drawn out")):
                if mine.any():
                    axes.plot(alarms[mine], missed[mine], color=colour, linestyle=style, label=f"{name}, {how}")
    axes.axvline(entry.budget_per_day, color="0.7", linewidth=1, label=f"the budget, {entry.budget_per_day:.3g} a day")
    share = entry.expected.misses[0] if entry.expected.misses else 0.0
    axes.errorbar([entry.expected.alarms_per_day], [share], color="black", marker="o", capsize=3, linestyle="none",
                  xerr=[[0.0], [max(entry.expected.alarms_upper - entry.expected.alarms_per_day, 0.0)]],
                  label="the threshold, with its upper bound")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:,.10g}")
    axes.tick_params(axis="x", labelsize=8)
    low = min(entry.expected.alarms_per_day, entry.budget_per_day)
    axes.set(xlim=(max(low, 1e-3) / 30, max(entry.expected.alarms_upper, entry.budget_per_day) * 30), ylim=(-0.03, 1.03),
             xlabel="false alarms a day", ylabel="share missed")
    axes.legend(loc="best", fontsize=8)


def plot_confusion(confusion: Confusion, title: str, path: Path) -> None:
    """Write a picture (PNG) of what is taken for what.

    Clips of each class (rows) by the class that they were taken for (columns). Numbers are counts; the colour
    is the share of the row. Raises SourceError for a path that cannot be written.
    """
    _save(confusion_figure(confusion, title), path)


def confusion_figure(confusion: Confusion, title: str) -> Figure:
    """The picture that `plot_confusion` writes; whoever asks for it closes it."""
    counts = confusion.counts
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    height, width = counts.shape
    figure, axes = plt.subplots(figsize=(4.0 + 0.42 * width, 2.6 + 0.36 * height), layout="constrained")
    picture = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(width), confusion.columns, rotation=55, ha="right", rotation_mode="anchor", fontsize=10)
    rows = [f"{name} ({count})" for name, count in zip(confusion.rows, counts.sum(axis=1), strict=True)]
    axes.set_yticks(range(height), rows, fontsize=10)
    axes.set_xticks(np.arange(width + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(height + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="0.88", linewidth=0.6)
    axes.tick_params(which="minor", length=0)
    if confusion.rows[-1] == OTHER:
        axes.axhline(height - 1.5, color="0.3", linewidth=1)
    for row, column in zip(*np.nonzero(counts), strict=True):
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", fontsize=9,
                  color="white" if shares[row, column] > 0.55 else "black")
    axes.set(xlabel="taken for", ylabel="is (clips)")
    axes.set_title(title, fontsize=11)
    figure.colorbar(picture, ax=axes, label="share of the row", fraction=0.03, pad=0.02)
    return figure


COLOURS = ("0.65", "tab:orange", "tab:blue", "tab:green", "tab:purple", "tab:brown")


def plot_costs(hops: Sequence[float], varied: Mapping[str, Sequence[float]], quiet: Mapping[str, Sequence[float]],
               memory: Mapping[str, float], path: Path) -> None:
    """Write a picture (PNG) of what `bench_report.pictured` gives. Raises SourceError for a path that cannot be written."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained", width_ratios=(3, 2))
    width = 0.84 / len(varied)
    for number, (name, values) in enumerate(varied.items()):
        places = np.arange(len(hops)) + (number - (len(varied) - 1) / 2) * width
        bars = left.bar(places, values, width * 0.9, color=COLOURS[number % len(COLOURS)], label=name)
        left.bar_label(bars, fmt="%.2f", fontsize=7)
        if name in quiet:
            left.bar(places, quiet[name], width * 0.9, color="black", alpha=0.45)
    left.bar([0], [0], color="black", alpha=0.45, label="ours, in a quiet room")
    left.set_xticks(range(len(hops)), [f"hop {hop:g} s" for hop in hops])
    left.legend(fontsize=7, loc="upper left", ncols=2)
    left.set(title="CPU time over the bare loop's", ylim=(0, 1.35 * max(map(max, varied.values()))))
    bars = right.barh(list(memory), list(memory.values()), color=COLOURS[: len(memory)])
    right.bar_label(bars, fmt="%.0f MB", fontsize=8, padding=2)
    right.set(title="peak memory", xlim=(0, 1.2 * max(memory.values())), ylim=(len(memory) - 0.5, -0.5))
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    try:
        figure.savefig(path, dpi=110, format="png")
    except (OSError, ValueError) as error:
        raise SourceError(f"--plot {path}", found=str(error), wanted="a file name that can be written, such as out.png"
                          ) from error
    finally:
        plt.close(figure)
