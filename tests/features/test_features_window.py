"""The analysis window against the published file's and against the truth."""

from __future__ import annotations

import numpy as np

from edge.features.logmel import hann_window


def test_the_window_is_the_files_own_to_the_last_bit(yamnet):
    assert np.array_equal(hann_window(400), yamnet.window)


def test_the_window_is_a_periodic_hann_window():
    true = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(400) / 400)
    window = hann_window(400)
    assert window.dtype == np.float32
    assert np.abs(window - true).max() < 3e-7
