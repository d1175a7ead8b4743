"""What `import edge` offers, and that the examples in its docstring run as they stand."""

from __future__ import annotations

import re
import textwrap
import wave
from pathlib import Path

import numpy as np
import pytest

import edge

CLAPS = Path(__file__).resolve().parent.parent / "models" / "demo" / "claps.wav"


def examples() -> list[str]:
    """The indented parts of the docstring."""
    assert edge.__doc__ is not None
    return [textwrap.dedent(part) for part in re.findall(r"(?:^    .*\n)+", edge.__doc__, re.MULTILINE)]


def test_what_the_package_offers_can_be_seen_and_had() -> None:
    """`dir(edge)` once listed what happened to be loaded."""
    assert set(dir(edge)) == set(edge.__all__) >= {"Listener", "classify", "load_model", "plan_for"}
    assert all(getattr(edge, name) is not None for name in dir(edge))
    with pytest.raises(AttributeError, match="'edge' has no attribute 'listen'"):
        _ = edge.listen


def test_a_recording_is_classified_as_the_docstring_says(capsys: pytest.CaptureFixture[str]) -> None:
    exec(examples()[0].replace("door.wav", str(CLAPS)), {})
    assert "hand_clap" in capsys.readouterr().out


def test_a_stream_from_an_array_is_heard_as_the_docstring_says(capsys: pytest.CaptureFixture[str]) -> None:
    with wave.open(str(CLAPS)) as recording:
        assert recording.getframerate() == 16_000 and recording.getnchannels() == 1
        samples = np.frombuffer(recording.readframes(recording.getnframes()), "<i2")
    exec(examples()[1], {"samples": samples})
    assert "target='hand_clap'" in capsys.readouterr().out
