"""The sums of the latency bench, on a way whose every step is known."""

from __future__ import annotations

import numpy as np
import pytest

from tests.latency.parts import PARTS, PIN, SUBSCRIBER, Run, parts_of, table
from tests.latency.sound import SPACING, Claps, series

LATE = 320
"""Samples that a microphone gave before the appliance opened it."""
BLOCK = 1_600
STEPS = 0.004, 0.002, 0.0005, 0.01
"""Seconds from a block's last sample to the listener, the decision, the pin, the subscriber."""


def noted(claps: Claps, *, without: int = -1) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, float]]:
    """Each clap is decided in the second block after its own. without: the number of a clap whose event is not received."""
    written = 50.0 + 0.01 * np.arange(1, len(claps.samples) // 160 + 2)
    heard = claps.samples[LATE:]
    blocks = len(heard) // BLOCK
    ends = [written[(LATE + BLOCK * (block + 1) - 1) // 160] for block in range(blocks)]
    decided_in = [(begin - LATE) // BLOCK + 2 for begin in claps.begins]
    decided = [ends[block] + STEPS[0] + STEPS[1] for block in decided_in]
    notes = {"samples": heard[:blocks * BLOCK], "lengths": np.full(blocks, BLOCK), "positions": BLOCK * np.arange(blocks),
             "heard": np.array(ends) + STEPS[0], "decided": np.array(decided), "starts": claps.begins - LATE + 40,
             "blocks_before": np.array(decided_in) + 1, "ids": np.array([f"id-{number}" for number in range(len(decided))]),
             "on": np.array(decided) + STEPS[2]}
    received = {f"id-{number}": at + STEPS[2] + STEPS[3] for number, at in enumerate(decided) if number != without}
    return written, notes, received


def test_each_part_is_what_it_was() -> None:
    claps = series(12)
    run = parts_of(claps, *noted(claps))
    assert (len(run.ms), run.played, run.lost) == (12, 12, 0)
    np.testing.assert_allclose(run.ms[:, 1:], 1000.0 * np.tile(STEPS, (12, 1)), atol=1e-6)
    waited = (BLOCK * 3 - (claps.begins - LATE) % BLOCK) / 16.0
    assert (abs(run.ms[:, 0] - waited) <= 10.0).all()  # pieces of 10 ms are written whole
    np.testing.assert_allclose(run.totals[SUBSCRIBER] - run.totals[PIN], 1000.0 * STEPS[3], atol=1e-6)
    text = table({"a run": run})
    assert all(part in text for part in PARTS) and "| claps told, of those that arrived whole | 12 of 12 |" in text


def test_what_did_not_arrive_is_no_figure() -> None:
    """An event without a message, and a clap of which samples were lost: neither makes the others' figures better."""
    claps = series(6)
    written, notes, received = noted(claps, without=2)
    notes["samples"] = notes["samples"].copy()
    notes["samples"][int(claps.begins[4]) - LATE] += 1
    run = parts_of(claps, written, notes, received)
    assert (len(run.ms), run.played, run.lost) == (4, 6, 1)
    assert "| - |" in table({"none": Run(np.zeros((0, len(PARTS))), 3, 0)})


@pytest.mark.parametrize("steps", [BLOCK, 3_840])
def test_claps_come_at_every_phase_of_blocks_and_hops(steps: int) -> None:
    begins = series(500).begins
    gaps = np.diff(begins) / 16_000
    assert gaps.min() >= SPACING[0] - 0.001 and gaps.max() <= SPACING[1] + 0.001
    counts, _ = np.histogram(begins % steps, bins=10, range=(0, steps))
    assert counts.min() >= 25 and counts.max() <= 80
