import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import SettingsError
from edge.features.mix import mix

int16 = st.integers(-32_768, 32_767)


def test_one_channel_is_handed_on_untouched():
    samples = np.array([1, -32_768, 32_767], np.int16)
    assert mix(samples, 1) is samples
    assert mix(samples, 1, 0) is samples


def test_a_channel_is_picked_by_its_number():
    samples = np.array([1, 10, 100, 2, 20, 200], np.int16)
    assert mix(samples, 3, 0).tolist() == [1, 2]
    assert mix(samples, 3, 2).tolist() == [100, 200]


@given(st.integers(2, 8).flatmap(lambda n: st.lists(st.lists(int16, min_size=n, max_size=n), max_size=5)))
def test_the_mean_is_exact_and_rounded_half_up(times):
    channels = len(times[0]) if times else 2
    mixed = mix(np.array(times, np.int16).reshape(-1), channels)
    assert mixed.dtype == np.int16
    assert mixed.tolist() == [math.floor(Fraction(sum(time), channels) + Fraction(1, 2)) for time in times]


@pytest.mark.parametrize("extreme", [-32_768, 32_767])
def test_the_mean_of_64_full_scale_channels_is_full_scale(extreme):
    assert mix(np.full(64 * 3, extreme, np.int16), 64).tolist() == [extreme] * 3


@pytest.mark.parametrize("channel", [2, -2, 63])
def test_a_channel_that_is_not_there_is_an_error_that_says_so(channel):
    with pytest.raises(SettingsError, match=f"found channel {channel}, sound of 2; wanted 0 to 1"):
        mix(np.zeros(4, np.int16), 2, channel)
