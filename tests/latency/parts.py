"""What was noted on the way of each clap, put together: pure sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.stream import SAMPLE_RATE
from tests.latency.feeder import PIECE_SAMPLES
from tests.latency.sound import Claps

PARTS = ("the sound that the decision needs, to its block's last sample", "to the listener", "to the decision", "to the pin",
         "from the pin to the subscriber")
PIN, SUBSCRIBER = "clap written to pin", "clap written to subscriber"
SNIPPET = 240
"""Samples around a clap's beginning by which it is found in what was heard; the noise makes each unlike all others."""
EARLIEST, LATEST = -800, 1_600
"""Samples from a clap's beginning within which its event starts."""


@dataclass(frozen=True, slots=True)
class Run:
    """Of one run: milliseconds by part and clap, float64 `(claps heard, parts)`; and how many claps there were."""

    ms: NDArray[np.float64]
    played: int
    lost: int
    """Claps whose own samples did not arrive whole."""

    @property
    def totals(self) -> dict[str, NDArray[np.float64]]:
        """Milliseconds to the pin and to the subscriber, each `(claps heard,)`."""
        return {PIN: self.ms[:, :-1].sum(axis=1), SUBSCRIBER: self.ms.sum(axis=1)}


def parts_of(claps: Claps, written: NDArray[np.float64], notes: Mapping[str, Any], received: Mapping[str, float]) -> Run:
    """written: monotonic seconds of each piece that was played, `(pieces,)`. notes: of `ears`. received: by event id, when
    the subscriber had its start."""
    heard = notes["samples"].astype("<i2").tobytes()
    blocks = np.concatenate(([0], np.cumsum(notes["lengths"])))  # index of each block's first sample in what was heard
    rows, lost, offset = [], 0, -len(claps.samples)  # unknown: the first clap is sought from the beginning
    for begin in claps.begins:
        sought = claps.samples[begin - SNIPPET: begin + SNIPPET].astype("<i2").tobytes()
        at = _find(heard, sought, int(begin) - SNIPPET + offset)
        if at is None:
            lost += 1
            continue
        offset = at - (int(begin) - SNIPPET)  # what lies between is what a microphone threw away before it was opened
        first = at + SNIPPET
        block = int(np.searchsorted(blocks, first, side="right")) - 1
        position = int(notes["positions"][block]) + first - int(blocks[block])
        near = np.flatnonzero((notes["starts"] >= position + EARLIEST) & (notes["starts"] <= position + LATEST))
        if len(near) == 0:
            continue
        event = int(near[0])
        last = int(notes["blocks_before"][event]) - 1  # the newest block when it was decided
        on = notes["on"][notes["on"] >= notes["decided"][event]]
        got = received.get(str(notes["ids"][event]))
        if len(on) == 0 or got is None:
            continue
        moments = [_written(written, int(begin)), _written(written, int(blocks[last + 1]) - 1 - offset),
                   float(notes["heard"][last]), float(notes["decided"][event]), float(on[0]), got]
        rows.append(1000.0 * np.diff(moments))
    return Run(np.array(rows).reshape(-1, len(PARTS)), len(claps.begins), lost)


def _written(written: NDArray[np.float64], sample: int) -> float:
    return float(written[sample // PIECE_SAMPLES])


def _find(heard: bytes, sought: bytes, near: int) -> int | None:
    """Index in samples of `sought` in `heard`, from one second before `near` on; None where it is not whole there."""
    start = 2 * max(near - SAMPLE_RATE, 0)
    while (found := heard.find(sought, start)) >= 0:
        if found % 2 == 0:
            return found // 2
        start = found + 1
    return None


def figures(values: NDArray[np.float64]) -> str:
    """Median and 99th percentile, in ms; nothing where there is nothing."""
    if len(values) == 0:
        return "-"
    return f"{np.median(values):.0f} ({np.quantile(values, 0.99):.0f})"


def table(runs: Mapping[str, Run]) -> str:
    """Markdown: a column for each run, by name, a row for each part."""
    lines = ["| ms, median (p99) | " + " | ".join(runs) + " |", "|---" * (len(runs) + 1) + "|"]
    for number, part in enumerate(PARTS):
        lines.append(f"| {part} | " + " | ".join(figures(run.ms[:, number]) for run in runs.values()) + " |")
    for total in (PIN, SUBSCRIBER):
        lines.append(f"| **{total}** | " + " | ".join(f"**{figures(run.totals[total])}**" for run in runs.values()) + " |")
    lines.append("| claps told, of those that arrived whole | " + " | ".join(
        f"{len(run.ms)} of {run.played - run.lost}" for run in runs.values()) + " |")
    return "\n".join([*lines, ""])
