"""From the trained student to ``backbone.tflite``: the same net in Keras with norms and gains folded in, then int8.

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
from student import CHANNELS, EMBEDDING, INPUT_GAIN, JOINED, STEPS, Student

POOLED = CHANNELS[-1]
Floats = npt.NDArray[np.float32]
Cells = npt.NDArray[np.int8]


def folded(student: Student) -> list[tuple[Floats, Floats]]:
    """Each convolution with its norm folded in: weights float32 (3, 3, inputs, outputs) and bias float32 (outputs,).

    The last one takes in the gains of the maxima too.
    """
    layers = []
    for number, layer in enumerate(student.convolutions):
        norm: Any = layer.norm
        gain = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
        weights = layer.weights.weight.detach() * gain[:, None, None, None]
        bias = (norm.bias - norm.running_mean * gain).detach()
        if number == 0:
            weights = weights * INPUT_GAIN
        if number == len(CHANNELS) - 1:
            of_maximum = student.gains[POOLED : 2 * POOLED]
            weights, bias = weights * of_maximum[:, None, None, None], bias * of_maximum
        layers.append((weights.permute(2, 3, 1, 0).numpy(), bias.numpy()))
    return layers


def keras_net(student: Student) -> tf.keras.Model:
    """The student in Keras: float32 (1, 96, 64) to float32 (1, 632)."""
    bands = tf.keras.Input(shape=(96, 64), batch_size=1)
    maps = tf.keras.layers.Reshape((96, 64, 1))(bands)
    for outputs, step, (weights, bias) in zip(CHANNELS, STEPS, folded(student), strict=True):
        layer = tf.keras.layers.Conv2D(outputs, 3, strides=step, padding="same", activation="relu")
        maps = layer(maps)
        layer.set_weights([weights, bias])
    means = tf.keras.layers.GlobalAveragePooling2D(keepdims=True)(maps)
    maxima = tf.keras.layers.MaxPooling2D(maps.shape[1:3])(maps)
    evened = tf.keras.layers.DepthwiseConv2D(1, use_bias=False)
    of_mean, of_maximum = tf.keras.layers.Dense(JOINED), tf.keras.layers.Dense(JOINED, use_bias=False)
    joined = tf.keras.layers.ReLU()(tf.keras.layers.Add()([of_mean(means), of_maximum(maxima)]))
    values = tf.keras.layers.Concatenate()([evened(means), maxima, joined])
    mean_gains, maximum_gains, joined_gains = np.split(student.gains.numpy(), [POOLED, 2 * POOLED])
    evened.set_weights([(mean_gains / maximum_gains).reshape(1, 1, -1, 1)])
    mean_weights, bias, maximum_weights = (
        parameter.detach().numpy()
        for parameter in (student.from_mean.weight, student.from_mean.bias, student.from_maximum.weight)
    )
    # The last convolution already holds the gains of the maxima: they are taken out again here.
    of_mean.set_weights([(mean_weights * joined_gains[:, None] / maximum_gains).T, bias * joined_gains])
    of_maximum.set_weights([(maximum_weights * joined_gains[:, None] / maximum_gains).T])
    return tf.keras.Model(bands, tf.keras.layers.Reshape((EMBEDDING,))(values))


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
