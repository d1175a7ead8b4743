"""What a calibration's result says of itself."""

from __future__ import annotations

import pytest

from edge.model.calibration import Expected, TargetCalibration
from edge.workshop.session import Result


@pytest.mark.parametrize(("threshold", "misses", "warned"), [
    (0.9999, None, True), (0.97, None, False), (0.9999, (0.4, 0.3, 0.5), False), (0.8, (1.0, 0.9, 1.0), True)])
def test_a_target_that_is_never_heard_again_is_warned_of(
        threshold: float, misses: tuple[float, float, float] | None, warned: bool) -> None:
    """A room with knocks in it set door_knock's threshold to 1.0000, and nothing said that no knock would be heard again."""
    expected = Expected(1.0, 2.5, True, misses)
    entry = TargetCalibration(("door_knock",), "0" * 64, "room", 1.0, 1.0, 0.0, threshold, threshold / 2, 1.0, 0.2, expected)
    said = Result("door_knock", entry, None).deaf()
    assert bool(said) is warned
    assert all("edge-audio calibrate --reset door_knock" in line for line in said)
