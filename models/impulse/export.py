"""From the trained network to ``look.tflite``: the same in Keras with norms folded in, then int8."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from edge.features.look import HIGHEST, LOOK_ROWS, LOWEST
from edge.stream import BANDS
from models.impulse.network import EMBEDDING, STEPS, Network, last_shape

Floats = npt.NDArray[np.float32]


def keras_net(network: Network) -> tf.keras.Model:
    """The network in Keras: float32 (1, 48, 64, 2) to float32 (1, EMBEDDING)."""
    looks = tf.keras.Input(shape=(LOOK_ROWS, BANDS, 2), batch_size=1)
    maps = looks
    for step, layer in zip(STEPS, network.convolutions, strict=True):
        norm: Any = layer.norm
        gain = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach()
        weights = (layer.weights.weight.detach() * gain[:, None, None, None]).permute(2, 3, 1, 0).numpy()
        bias = (norm.bias - norm.running_mean * gain).detach().numpy()
        folded = tf.keras.layers.Conv2D(len(bias), 3, strides=step, padding="same", activation="relu")
        maps = folded(maps)
        folded.set_weights([weights, bias])
    rows, columns = last_shape()
    joined = tf.keras.layers.Dense(EMBEDDING, activation="relu")
    embedding = joined(tf.keras.layers.Flatten()(maps))
    # PyTorch flattens channels first, Keras channels last.
    weights = network.from_map.weight.detach().numpy().reshape(EMBEDDING, -1, rows, columns)
    joined.set_weights([weights.transpose(2, 3, 1, 0).reshape(-1, EMBEDDING), network.from_map.bias.detach().numpy()])
    return tf.keras.Model(looks, embedding)


def write_network(network: Network, looks: Floats, path: Path) -> None:
    """Quantise to int8 per channel, calibrated on looks float32 (n, 48, 64, 2); the first also gets the extreme cells."""
    converter = tf.lite.TFLiteConverter.from_keras_model(keras_net(network))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8

    def representative() -> Any:
        extreme = looks[:1].copy()
        extreme[0, 0, :2, 0] = LOWEST, HIGHEST
        yield [extreme]
        for look in looks:
            yield [look[None]]

    converter.representative_dataset = representative
    path.write_bytes(converter.convert())
