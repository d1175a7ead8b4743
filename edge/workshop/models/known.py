"""Published files known by their digest: what they are called, and what they can hear by themselves."""

from __future__ import annotations

from dataclasses import dataclass

from edge.model.manifest import ModelTarget


@dataclass(frozen=True, slots=True)
class Known:
    """A published file. Thresholds are on the highest score of a target's labels.

    addresses: where it was published, byte for byte; `model install` of its name tries one after another.
    page: where a person finds it.
    """

    name: str
    version: str
    licence: str
    description: str
    addresses: tuple[str, ...]
    page: str
    targets: tuple[ModelTarget, ...]


def _target(name: str, threshold: float, *labels: str, impulsive: bool = False, standard: bool = True) -> ModelTarget:
    """Released at half the threshold: a sound's score falls within one patch, a pause's does too."""
    return ModelTarget(name, labels, threshold, threshold / 2, impulsive=impulsive, standard=standard)


# Thresholds: what 1 in 100 recordings of other sounds reaches, measured by tests/model/measure_thresholds.py.
_YAMNET_TARGETS = (
    _target("hand_clap", 0.35, "Clapping", "Hands", "Applause", impulsive=True),
    _target("typing", 0.4, "Typing", "Computer keyboard", "Typewriter"),
    _target("finger_snap", 0.1, "Finger snapping", impulsive=True, standard=False),  # claps raise it too
    _target("smoke_alarm", 0.1, "Smoke detector, smoke alarm", "Fire alarm"),
    _target("alarm_beep", 0.15, "Smoke detector, smoke alarm", "Beep, bleep", "Alarm", "Busy signal", standard=False),
    _target("glass_break", 0.4, "Glass", "Shatter", "Breaking"),
    _target("door_knock", 0.5, "Knock", impulsive=True),
    _target("doorbell", 0.1, "Doorbell", "Ding-dong"),
    _target("dog_bark", 0.4, "Dog", "Bark", "Yip", "Howl", "Bow-wow"),
    _target("baby_cry", 0.1, "Baby cry, infant cry"),
    _target("siren", 0.1, "Siren", "Civil defense siren", "Police car (siren)", "Ambulance (siren)",
            "Fire engine, fire truck (siren)"),
    _target("cough", 0.1, "Cough"),
    _target("whistle", 0.1, "Whistling", "Whistle"),
    _target("snoring", 0.2, "Snoring"),
    _target("laughter", 0.1, "Laughter", "Baby laughter", "Giggle", "Snicker", "Belly laugh", "Chuckle, chortle"),
    _target("scream", 0.2, "Screaming"),
    _target("speech", 0.8, "Speech", "Conversation", "Narration, monologue"),
)

YAMNET_SHA256 = "10c95ea3eb9a7bb4cb8bddf6feb023250381008177ac162ce169694d05c317de"

KNOWN = {
    YAMNET_SHA256: Known(
        name="yamnet", version="1", licence="Apache-2.0",
        description="YAMNet: 521 sounds of AudioSet, int8, as published for TensorFlow Lite's audio classification",
        addresses=(
            "https://storage.googleapis.com/mediapipe-assets/yamnet_audio_classifier_with_metadata.tflite",
            ("https://storage.googleapis.com/download.tensorflow.org/models/tflite/task_library/audio_classification/"
             "android/lite-model_yamnet_classification_tflite_1.tflite"),
            "https://storage.googleapis.com/mediapipe-models/audio_classifier/yamnet/float32/1/yamnet.tflite",
            "https://storage.googleapis.com/tfhub-lite-models/google/lite-model/yamnet/classification/tflite/1.tflite"),
        page="https://www.kaggle.com/models/google/yamnet/tfLite/classification-tflite",
        targets=_YAMNET_TARGETS),
}
"""By the digest of the published file."""


def known_as(name: str) -> str | None:
    """The digest of the known file that is called so; None for another name."""
    return next((digest for digest, known in KNOWN.items() if known.name == name), None)
