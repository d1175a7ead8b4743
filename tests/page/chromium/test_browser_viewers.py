"""Fifty who look at once: the listener hears a clap as early as with nobody there, and all fifty see what it hears."""

from __future__ import annotations

import json
import statistics
import wave
from pathlib import Path

import pytest

from tests.measure_watching import await_hearing
from tests.page.chromium.board import DEMO, hearing, settings_text
from tests.page.chromium.measure import FIFTY, SLEEPS, Found, measure

pytestmark = [pytest.mark.slow, pytest.mark.browser]

HOP_SECONDS = 0.24


def test_fifty_who_look_make_no_clap_come_later(tmp_path: Path) -> None:
    """The same claps, three times in turn with nobody and with fifty: their medians are nearer than the board's own step."""
    state, moment = tmp_path / "state", tmp_path / "begun"
    with wave.open(str(DEMO / "claps.wav")) as claps:
        turn = claps.getnframes() / claps.getframerate()
    found = {SLEEPS: Found(), FIFTY: Found()}
    with hearing(state, settings_text(["claps"], begun=moment)) as appliance:
        await_hearing(state)
        begun, _ = json.loads(moment.read_text(encoding="utf-8"))
        for _ in range(3):
            for name, figures in found.items():
                measure(state, appliance.pid, begun, name, turn, figures)
    assert all(len(figures.late) >= 12 for figures in found.values()), found
    assert found[FIFTY].fewest_bands >= turn / HOP_SECONDS / 2, "every one of the fifty sees the spectrogram"
    nobody, fifty = (statistics.median(figures.late) for figures in found.values())
    print(f"a clap at the watch socket: {nobody:.3f} s with nobody, {fifty:.3f} s with fifty")
    assert abs(fifty - nobody) < HOP_SECONDS
