"""What models/impulse/taught.py counts: a source's other sounds, never those that were taught."""

from __future__ import annotations

import numpy as np
import pytest

from models.impulse.taught import COUNT, TURNS, _sum, _turns, count


def arrays() -> dict[str, np.ndarray]:
    """Five onsets: three claps of a source, a cup in a scene of hard sounds, and talk; a fourth clap has no onset."""
    return {
        "label": np.array(["hand_clap", "hand_clap", "hand_clap", "cup", ""]), "inside": np.array([""] * 5),
        "echo": np.zeros(5, np.bool_), "hours": np.array(0.5), "placed_onset": np.array([0, 1, 2, -1, 3]),
        "placed_label": np.array(["hand_clap"] * 4 + ["cup"]), "placed_source": np.array(["me"] * 4 + ["other"]),
        "placed_sounds": np.array(["hand_clap"] * 4 + ["hard"]), "placed_ratio": np.array([np.nan, 20.0, 20.0, 20.0, 10.0]),
    }


PIECES = np.array(["a", "b", "c", "d", "cup"])


def test_sounds_that_were_taught_are_not_looked_for() -> None:
    found = count(arrays(), PIECES, np.array([True, True, False, True, True]), "hand_clap", "me", ["a"])
    assert found["recall"] == {"quiet": [0, 0], "30 dB": [0, 0], "20 dB": [1, 3], "10 dB": [0, 0]}
    assert (found["alarms"], found["hard"]) == (1, [1, 1])


def test_an_onset_while_the_same_sound_lasts_is_no_false_alarm() -> None:
    inside = arrays() | {"inside": np.array(["", "", "", "", "hand_clap"])}
    assert count(inside, PIECES, np.ones(5, np.bool_), "hand_clap", "me", [])["alarms"] == 0


def test_lessons_are_summed() -> None:
    one = count(arrays(), PIECES, np.array([True, True, False, True, True]), "hand_clap", "me", ["a"])
    two = count(arrays(), PIECES, np.zeros(5, np.bool_), "hand_clap", "me", ["b"])
    both = _sum([one, two])
    assert both["lessons"] == 2 and both["alarms_per_hour"] == pytest.approx(1.0)
    assert (both["recall"]["20 dB"]["count"], both["recall"]["20 dB"]["of"]) == (1, 5)


def test_each_time_others_are_taught_and_some_are_left() -> None:
    assert list(_turns([f"{number}" for number in range(COUNT)])) == []
    many = list(_turns([f"{number}" for number in range(40)]))
    assert len(many) == TURNS and len({name for turn in many for name in turn}) == TURNS * COUNT
    assert len(list(_turns([f"{number}" for number in range(COUNT + 1)]))) == 1
