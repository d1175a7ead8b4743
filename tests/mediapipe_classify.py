"""What MediaPipe's audio classifier hears: run by a Python that has it, with nothing of edge-audio.

    python tests/mediapipe_classify.py MODEL.tflite RECORDINGS.npz

RECORDINGS: int16 (n,) arrays at 16 kHz. Prints one JSON object: name of the recording to a list of {label: score}, one for
each 0.975 s as MediaPipe cuts it, the last filled up with silence.
"""

from __future__ import annotations

import json
import sys

import numpy as np
from mediapipe.tasks.python import BaseOptions, audio
from mediapipe.tasks.python.components import containers


def main(model: str, recordings: str) -> None:
    options = audio.AudioClassifierOptions(base_options=BaseOptions(model_asset_path=model))
    heard = {}
    with audio.AudioClassifier.create_from_options(options) as classifier, np.load(recordings) as sounds:
        for name in sounds:
            waveform = sounds[name].astype(np.float32) / np.float32(32_768)
            results = classifier.classify(containers.AudioData.create_from_array(waveform, 16_000))
            heard[name] = [{each.category_name: each.score for each in result.classifications[0].categories}
                           for result in results]
    json.dump(heard, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:])
