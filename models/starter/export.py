"""From the trained student to ``backbone.tflite``: the same net in Keras with the norms folded in, then int8 in and out.

The representative set is patches of training sounds, plus one with the quietest and the loudest band there can be:
they fix the input's scale to the one of ``bands.py``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from bands import INPUT_SCALE, INPUT_ZERO_POINT, dequantised
from student import CHANNELS, EMBEDDING, INPUT_GAIN, STEPS, Student

Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.int8]


def folded(student: Student) -> list[tuple[Floats, Floats]]:
    """Each convolution with its norm folded in: weights float32 (3, 3, inputs, outputs) and bias float32 (outputs,)."""
    layers = []
    for number, layer in enumerate(student.convolutions):
        norm: Any = layer.norm
        gain = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
        weights = layer.weights.weight.detach() * gain[:, None, None, None]
        bias = (norm.bias - norm.running_mean * gain).detach().numpy()
        if number == 0:
            weights = weights * INPUT_GAIN
        layers.append((weights.permute(2, 3, 1, 0).numpy(), bias))
    return layers


def keras_net(student: Student) -> tf.keras.Model:
    """The student in Keras: float32 (1, 96, 64) to float32 (1, 256)."""
    bands = tf.keras.Input(shape=(96, 64), batch_size=1)
    maps = tf.keras.layers.Reshape((96, 64, 1))(bands)
    for outputs, step, (weights, bias) in zip(CHANNELS, STEPS, folded(student), strict=True):
        layer = tf.keras.layers.Conv2D(outputs, 3, strides=step, padding="same", activation="relu")
        maps = layer(maps)
        layer.set_weights([weights, bias])
    mean = tf.keras.layers.Dense(EMBEDDING)
    maximum = tf.keras.layers.Dense(EMBEDDING, use_bias=False)
    of_mean = mean(tf.keras.layers.GlobalAveragePooling2D()(maps))
    rows, columns = maps.shape[1:3]
    of_maximum = maximum(tf.keras.layers.Flatten()(tf.keras.layers.MaxPooling2D((rows, columns))(maps)))
    embedding = tf.keras.layers.ReLU()(tf.keras.layers.Add()([of_mean, of_maximum]))
    mean.set_weights([student.from_mean.weight.detach().numpy().T, student.from_mean.bias.detach().numpy()])
    maximum.set_weights([student.from_maximum.weight.detach().numpy().T])
    return tf.keras.Model(bands, embedding)


def write_backbone(student: Student, patches: Cells, path: Path) -> None:
    """Quantise to int8 per channel, calibrated on int8 patches (n, 96, 64) of training sounds."""
    converter = tf.lite.TFLiteConverter.from_keras_model(keras_net(student))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    lowest, highest = ((level - INPUT_ZERO_POINT) * INPUT_SCALE for level in (-128, 127))

    def representative() -> Any:
        extreme = dequantised(patches[:1]).copy()
        extreme[0, 0, :2] = lowest, highest
        yield [extreme]
        for patch in patches:
            yield [dequantised(patch[None])]

    converter.representative_dataset = representative
    path.write_bytes(converter.convert())
