"""Round, clip, cast; widen, subtract, scale."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.model.quantisation import dequantise, limits, quantise


@pytest.mark.parametrize(("dtype", "low", "high"), [("int8", -128, 127), ("uint8", 0, 255), ("int16", -32768, 32767)])
def test_values_beyond_either_end_take_the_end(dtype: str, low: int, high: int) -> None:
    values = np.array([-1e30, low - 1, low - 0.4, low, high, high + 0.4, high + 1, 1e30], np.float32)
    integers = quantise(values, scale=1.0, zero_point=0, dtype=dtype)
    assert integers.dtype == dtype
    assert integers.tolist() == [low] * 4 + [high] * 4


def test_what_a_bare_cast_would_wrap_is_clipped() -> None:
    integers = quantise(np.array([130.4, -200.0], np.float32), scale=1.0, zero_point=0, dtype="int8")
    assert integers.tolist() == [127, -128]


def test_values_are_rounded_not_cut() -> None:
    values = np.array([0.6, -0.6, 1.5, 2.5, -1.5], np.float32)
    assert quantise(values, scale=1.0, zero_point=0, dtype="int8").tolist() == [1, -1, 2, 2, -2]


def test_the_zero_point_stands_for_zero() -> None:
    assert quantise(np.zeros(1, np.float32), scale=0.048, zero_point=16, dtype="int8").tolist() == [16]
    assert dequantise(np.array([16], np.int8), scale=0.048, zero_point=16).tolist() == [0.0]


@pytest.mark.parametrize(("dtype", "zero_point", "low", "high"), [
    ("int8", 100, -228.0, 27.0), ("int8", -128, 0.0, 255.0), ("uint8", 255, -255.0, 0.0),
    ("int16", 32767, -65535.0, 0.0)])
def test_dequantising_widens_first(dtype: str, zero_point: int, low: float, high: float) -> None:
    ends = np.array(limits(dtype), dtype)
    values = dequantise(ends, scale=1.0, zero_point=zero_point)
    assert values.dtype == np.float32
    assert values.tolist() == [low, high]


@given(st.integers(-128, 127), st.floats(1e-3, 1e3), st.integers(-128, 127))
def test_every_integer_comes_back(integer: int, scale: float, zero_point: int) -> None:
    real = dequantise(np.array([integer], np.int8), scale=scale, zero_point=zero_point)
    assert quantise(real, scale=scale, zero_point=zero_point, dtype="int8").tolist() == [integer]


def test_scratch_changes_nothing_but_where_it_works() -> None:
    values = np.linspace(-9, 9, 96 * 64, dtype=np.float32).reshape(96, 64)
    kept = values.copy()
    scratch = np.empty_like(values)
    with_scratch = quantise(values, scale=0.048, zero_point=16, dtype="int8", scratch=scratch)
    assert np.array_equal(with_scratch, quantise(values, scale=0.048, zero_point=16, dtype="int8"))
    assert np.array_equal(values, kept)


def test_other_dtypes_are_refused() -> None:
    with pytest.raises(ModelError, match="int32"):
        quantise(np.zeros(1, np.float32), scale=1.0, zero_point=0, dtype="int32")
