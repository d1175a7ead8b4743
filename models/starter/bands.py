"""Patches of windows and clips through the appliance's own front end, and the input tensor's scale."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from appliance import BANDS, FRAME_SAMPLES, FRAME_STEP, PATCH_FRAMES, PATCH_SAMPLES, LogMel
from clips import SAMPLE_RATE

# The int8 scale of the input tensor: -6.915 (silence is -6.908) to 5.330 (beyond full scale).
INPUT_SCALE = 0.048020597
INPUT_ZERO_POINT = 16

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.int8]

_front_end = LogMel()


def band_rows(samples: Floats) -> Floats:
    """Bands of sound rounded to int16 as a sound card does: float32 (n,) to float32 (frames, 64), no padding."""
    if len(samples) < FRAME_SAMPLES:
        return np.zeros((0, BANDS), np.float32)
    pcm = np.clip(np.round(samples * 32768.0), -32768, 32767).astype(np.int16)
    return _front_end.rows(np.lib.stride_tricks.sliding_window_view(pcm, FRAME_SAMPLES)[::FRAME_STEP])


def quantised(rows: Floats) -> Cells:
    """Bands as the int8 input tensor holds them: round, clip, cast."""
    return np.clip(np.round(rows / np.float32(INPUT_SCALE)) + INPUT_ZERO_POINT, -128, 127).astype(np.int8)


def dequantised(cells: Cells) -> Floats:
    """int8 cells back to bands: widen, subtract, scale."""
    return (cells.astype(np.float32) - INPUT_ZERO_POINT) * np.float32(INPUT_SCALE)


def patch_of(window: Floats) -> Cells:
    """The int8 patch (96, 64) of one window of 15,600 samples."""
    if window.shape != (PATCH_SAMPLES,):
        raise ValueError(f"window: found shape {window.shape}, wanted ({PATCH_SAMPLES},)")
    return quantised(band_rows(window))


def patches_of(samples: Floats, hop_seconds: float) -> Cells:
    """Every int8 patch of a stretch of sound, the tail padded with silence: int8 (n, 96, 64)."""
    hop = round(hop_seconds * SAMPLE_RATE / FRAME_STEP)
    hops = max(0, int(np.ceil((len(samples) - PATCH_SAMPLES) / (hop * FRAME_STEP))))
    padded = np.zeros(PATCH_SAMPLES + hops * hop * FRAME_STEP, np.float32)
    padded[: len(samples)] = samples[: len(padded)]
    cells = quantised(band_rows(padded))
    return np.stack([cells[start : start + PATCH_FRAMES] for start in range(0, len(cells) - PATCH_FRAMES + 1, hop)])
