"""What the settings ask for, resolved against what the model offers."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from edge.decision.resolve import resolve_targets
from edge.errors import SettingsError
from edge.settings import TargetSettings

LABELS = ("Speech", "Clapping", "Hands", "Typing")


@dataclass(frozen=True)
class Offered:
    name: str
    labels: tuple[str, ...]
    threshold: float
    release_threshold: float
    standard: bool = True
    impulsive: bool = False


OFFERED = (Offered("hand_clap", ("Clapping", "Hands"), 0.2, 0.1), Offered("typing", ("Typing",), 0.4, 0.3))


def test_without_settings_the_models_own_targets_are_heard() -> None:
    found = resolve_targets((), LABELS, OFFERED)
    assert [(t.name, list(t.rows), t.threshold, t.release_threshold) for t in found.sounds] == [
        ("hand_clap", [1, 2], 0.2, 0.1), ("typing", [3], 0.4, 0.3)]


def test_what_is_not_standard_is_heard_only_where_the_settings_name_it() -> None:
    offered = (*OFFERED, Offered("speech", ("Speech",), 0.8, 0.4, standard=False))
    assert [target.name for target in resolve_targets((), LABELS, offered).sounds] == ["hand_clap", "typing"]
    (found,) = resolve_targets([TargetSettings(name="speech")], LABELS, offered).sounds
    assert found.threshold == 0.8


def test_what_is_not_standard_yields_unless_the_settings_give_it_labels_of_their_own() -> None:
    offered = (*OFFERED, Offered("snap", ("Hands",), 0.3, 0.1, standard=False, impulsive=True))
    wanted = [TargetSettings(name="hand_clap"), TargetSettings(name="snap"), TargetSettings(name="own", labels=("Hands",))]
    assert [sound.yields for sound in resolve_targets(wanted, LABELS, offered).sounds] == [False, True, False]


def test_a_name_alone_takes_labels_and_thresholds_from_the_model() -> None:
    (found,) = resolve_targets([TargetSettings(name="hand_clap")], LABELS, OFFERED).sounds
    assert (list(found.rows), found.threshold, found.release_threshold) == ([1, 2], 0.2, 0.1)


def test_a_name_that_is_a_label_needs_no_labels() -> None:
    (found,) = resolve_targets([TargetSettings(name="Speech")], LABELS, OFFERED).sounds
    assert (list(found.rows), found.threshold) == ([0], 0.5)


def test_own_thresholds_win_and_own_labels_leave_the_models_thresholds_behind() -> None:
    (own,) = resolve_targets([TargetSettings(name="hand_clap", threshold=0.6)], LABELS, OFFERED).sounds
    assert (own.threshold, own.release_threshold) == (0.6, 0.3)
    (other,) = resolve_targets([TargetSettings(name="hand_clap", labels=("Hands",))], LABELS, OFFERED).sounds
    assert (list(other.rows), other.threshold) == ([2], 0.5)


def test_a_release_threshold_over_the_models_threshold_is_refused() -> None:
    with pytest.raises(SettingsError, match="release_threshold"):
        resolve_targets([TargetSettings(name="hand_clap", release_threshold=0.9)], LABELS, OFFERED)


def test_an_unknown_label_names_the_nearest_ones() -> None:
    with pytest.raises(SettingsError, match="nearest: Clapping"):
        resolve_targets([TargetSettings(name="x", labels=("claping",))], LABELS, OFFERED)
    with pytest.raises(SettingsError, match=r"\[\[target\]\] clap labels.*nearest: Clapping"):
        resolve_targets([TargetSettings(name="clap")], LABELS, OFFERED)


@dataclass(frozen=True)
class Found:
    scale: float = 2.0
    offset: float = -1.0
    scale_below: float | None = None
    threshold: float = 0.7
    release_threshold: float = 0.35


def test_a_calibration_goes_before_the_models_thresholds_and_after_the_settings() -> None:
    (found,) = resolve_targets([TargetSettings(name="hand_clap")], LABELS, OFFERED,
                               calibrations={"hand_clap": Found()}).sounds
    assert (found.scale, found.offset, found.threshold, found.release_threshold) == (2.0, -1.0, 0.7, 0.35)
    (own,) = resolve_targets([TargetSettings(name="hand_clap", threshold=0.9)], LABELS, OFFERED,
                             calibrations={"hand_clap": Found()}).sounds
    assert (own.scale, own.threshold, own.release_threshold) == (2.0, 0.9, 0.45)


def test_a_pattern_brings_its_sound_along_unsent() -> None:
    found = resolve_targets([TargetSettings(name="double", pattern_of="hand_clap")], LABELS, OFFERED)
    assert found.names == ("double",)
    assert [(sound.name, sound.sent) for sound in found.sounds] == [("hand_clap", False)]
    assert list(found.rows()) == [1, 2]
    both = resolve_targets([TargetSettings(name="double", pattern_of="hand_clap"), TargetSettings(name="hand_clap")],
                           LABELS, OFFERED)
    assert both.names == ("hand_clap", "double")


def test_what_contradicts_itself_is_refused() -> None:
    for wrong, thing in [
        (TargetSettings(name="x", pattern_of="x"), "pattern_of"),
        (TargetSettings(name="x", pattern_of="hand_clap", labels=("Hands",)), "pattern_of"),
        (TargetSettings(name="x", pattern_of="hand_clap", minimum_gap_seconds=2.0), "minimum_gap_seconds"),
        (TargetSettings(name="x", louder_db=10.0, labels=("Hands",)), "louder_db"),
        (TargetSettings(name="typing", sound="impulsive", minimum_duration_seconds=1.0), "minimum_duration_seconds"),
        (TargetSettings(name="x", pattern_of="nothing"), "labels"),
    ]:
        with pytest.raises(SettingsError, match=thing):
            resolve_targets([wrong], LABELS, OFFERED)


def test_a_sound_is_impulsive_where_the_model_or_the_settings_say_so() -> None:
    offered = (Offered("hand_clap", ("Clapping",), 0.2, 0.1, impulsive=True),)
    assert resolve_targets((), LABELS, offered).sounds[0].impulsive
    assert not resolve_targets([TargetSettings(name="hand_clap", sound="lasting")], LABELS, offered).sounds[0].impulsive
