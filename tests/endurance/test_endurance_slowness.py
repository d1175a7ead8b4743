"""The judgement on a board that had too little processor, and the brake that makes one."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace

import pytest

from tests.endurance.slowness import LEFT, Trial, findings, table
from tests.endurance.starve import Starved
from tests.measure_watching import busy_seconds

STRETCHED = Trial(LEFT["stretched"], 0.05, 80, ((0.2, 0.3), (0.9, 1.2), (0.3,)), ("ok", "too slow: listens every 0.06 s"),
                  500, 0.0, 40.0, "ok")
DROPPED = replace(STRETCHED, left=LEFT["starved"], said=("too slow: listens every 0.96 s, and sound is dropped",),
                  dropped_seconds=20.0)


@pytest.mark.parametrize("trial", [STRETCHED, DROPPED])
def test_a_board_that_says_so_and_recovers_is_well(trial: Trial) -> None:
    assert findings(trial) == []
    head, rule, row = table([trial]).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|")


@pytest.mark.parametrize(("trial", "words"), [
    (replace(STRETCHED, late=((0.2,), (0.9, 2.0), (0.3,))),
     "stretched: a clap with too little was 2.00 s late; wanted less than 2"),
    (replace(STRETCHED, late=((0.2,), (), (0.3,))), "stretched: no clap with too little"),
    (replace(STRETCHED, said=("ok",)), "stretched: health said ok with too little; wanted too slow"),
    (replace(STRETCHED, passed_patches=0), "stretched: no patch was passed over"),
    (replace(STRETCHED, dropped_seconds=6.4),
     "stretched: 6.4 s of sound were dropped; wanted 6 at most"),
    (replace(DROPPED, late=((0.2,), (0.9, 3.5), (0.3,))),
     "starved: a clap with too little was 3.50 s late; wanted less than 3.5"),
    (replace(DROPPED, dropped_seconds=0.0), "starved: no sound was dropped: the board had enough"),
    (replace(DROPPED, at_last="too slow: listens every 0.48 s"),
     "starved: health says too slow: listens every 0.48 s in the end; wanted ok"),
])
def test_each_thing_that_must_not_be_is_found(trial: Trial, words: str) -> None:
    assert findings(trial) == [words]


@pytest.mark.big
def test_a_starved_process_has_its_share_and_goes_on_afterwards() -> None:
    """A process that would take a whole core, by its own processor time: whatever else runs here, it gets no more."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            while busy_seconds(busy.pid) < 0.1:
                time.sleep(0.01)
            with Starved(busy.pid, 0.05) as starved:
                before, began = busy_seconds(busy.pid), time.monotonic()
                while starved.stops < 10:
                    time.sleep(0.01)
                had, lasted = busy_seconds(busy.pid) - before, time.monotonic() - began
            assert had <= 0.05 * lasted + 0.1  # what one look comes too late, at most
            at = busy_seconds(busy.pid)
            while busy_seconds(busy.pid) < at + 0.1:
                time.sleep(0.01)
        finally:
            busy.kill()
