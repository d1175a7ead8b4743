"""Published files known by their digest: what they are called, and what they can hear by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from edge.model.manifest import ModelTarget


@dataclass(frozen=True, slots=True)
class Known:
    """A published file. Thresholds are on the highest score of a target's labels; see tests/model for their origin."""

    name: str
    version: str
    licence: str
    description: str
    source: str
    targets: tuple[ModelTarget, ...]


YAMNET_SHA256 = "10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de"

KNOWN = {
    YAMNET_SHA256: Known(
        name="yamnet", version="1", licence="Apache-2.0",
        description="YAMNet: 521 sounds of AudioSet, int8, as published for TensorFlow Lite's audio classification",
        source="yamnet_classification.tflite",
        targets=()),
}
