"""Which targets of a plan are series of onsets: those with the model's own labels and probabilities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from edge.control.loading import load_model
from edge.control.plan import plan_for
from edge.model.look_offer import Stage
from edge.settings import TargetSettings

TYPING = (TargetSettings(name="typing"),)


@dataclass(frozen=True)
class Calibration:
    scale: float = 1.0
    scale_below: float = 1.0
    offset: float = 0.0
    threshold: float = 0.6
    release_threshold: float = 0.3


def test_typing_of_the_starter_is_a_series_of_onsets() -> None:
    model = load_model("starter")
    assert [one.target for one in model.series] == ["typing"]
    assert plan_for(model, TYPING).decision.lookout  # no other target needs looks
    assert plan_for(model, TYPING, calibrations={"typing": Calibration()}).decision.lookout


def test_other_labels_and_scaled_probabilities_are_left_to_patches() -> None:
    model = load_model("starter")
    other = (TargetSettings(name="typing", labels=("rain",)),)
    assert not plan_for(model, other).decision.lookout
    for scaled in (Calibration(scale=1.2), Calibration(scale_below=0.5), Calibration(offset=-1.0)):
        assert not plan_for(model, TYPING, calibrations={"typing": scaled}).decision.lookout


def test_a_series_serves_the_calibration_that_it_was_fitted_with() -> None:
    model = load_model("starter")
    fitted = Calibration(scale=0.8, scale_below=0.8, offset=1.4)
    model.series = (replace(model.series[0], calibrated=Stage(0.8, 1.4)),)
    assert plan_for(model, TYPING, calibrations={"typing": fitted}).decision.lookout
    for other in (Calibration(), replace(fitted, scale=0.9), replace(fitted, scale_below=0.9), replace(fitted, offset=1.3)):
        assert not plan_for(model, TYPING, calibrations={"typing": other}).decision.lookout
    assert not plan_for(model, TYPING).decision.lookout
