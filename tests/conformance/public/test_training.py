"""Models of these layers learn, in float32 and in mixed precision, under whichever backend Keras runs on."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from exporter import layers, losses


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_a_model_of_all_layers_learns(policy: str) -> None:
    keras.utils.set_random_seed(11)
    generator = np.random.default_rng(12)
    x = generator.integers(0, 256, (64, 4, 4, 2), dtype="uint8")
    y = x.mean((1, 2, 3), keepdims=True).reshape(64, 1) / 255
    model = _model(policy)
    model.compile(optimizer=keras.optimizers.Adam(0.01), loss=losses.Huber(0.5), jit_compile=False)
    history = model.fit(x, y, epochs=10, batch_size=16, verbose=0).history["loss"]
    assert history[-1] < history[0] / 3
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def _model(policy: str) -> keras.Model:
    inputs = keras.Input((4, 4, 2), dtype="uint8")
    x = layers.ImageNormalize(mean=[0.5, 0.4], std=0.3, dtype=policy)(inputs)
    x = keras.layers.Conv2D(8, 3, activation="exporter>swish", dtype=policy)(x)
    x = layers.LayerNormalization(axis=[1, 2, 3], dtype=policy)(x)
    x = keras.layers.Flatten(dtype=policy)(x)
    for activation in (layers.Mish, layers.ELiSH, layers.HardSwish, layers.Swish):
        x = activation(dtype=policy)(keras.layers.Dense(16, dtype=policy)(x))
    x = layers.RMSNormalization(dtype=policy)(x)
    x = layers.HardSigmoid(dtype=policy)(x)
    return keras.Model(inputs, layers.Linear(1, dtype="float32")(x))
