"""Reads a handwritten digit from an image, with custom layers throughout.

    image uint8 (8, 8, 1) -> ImageNormalize -> two convolutions -> max pooling -> one convolution
      -> channels gated by HardSigmoid -> Dense -> probabilities (10), digit, score

Swish, Mish, HardSigmoid, LayerNormalization, ImageNormalize and LabelScores are those of `exporter.layers`.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from exporter.layers import HardSigmoid, ImageNormalize, LabelScores, LayerNormalization, Mish, Swish
from models._goal import Goal
from models._scans import scans

GOAL = Goal("accuracy", least=0.97)
EPOCHS = 8
BATCH = 64
SEED = 2


def build() -> keras.Model:
    """Build the model: 41 thousand parameters, random weights."""
    image = keras.Input((8, 8, 1), dtype="uint8", name="image")
    x = ImageNormalize(mean=0.5, std=0.5, name="normalize")(image)
    x = _convolution(x, 32, Swish, "strokes")
    x = _convolution(x, 32, Mish, "corners")
    x = layers.MaxPooling2D(name="halve")(x)
    x = _convolution(x, 64, Mish, "shapes")
    x = _gate(x, "gate")
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dropout(0.3, name="dropout")(x)
    probabilities = layers.Dense(10, activation="softmax", name="probabilities")(x)
    digit, score = LabelScores(name="best")(probabilities)
    return keras.Model(image, {"probabilities": probabilities, "digit": digit, "score": score}, name="digits")


def train(epochs: int = EPOCHS, seed: int = SEED) -> keras.Model:
    """Train the model; the same seed gives the same weights.

    Raises:
        GoalMissedError: if the accuracy on the test set is below the goal.
    """
    keras.utils.set_random_seed(seed)
    model = build()
    images, digits = scans("train")
    rate = keras.optimizers.schedules.CosineDecay(3e-3, epochs * -(-len(images) // BATCH))
    model.compile(
        keras.optimizers.Adam(rate),
        loss={"probabilities": "sparse_categorical_crossentropy"},
        jit_compile=False,  # XLA would take longer to compile than the training takes
    )
    model.fit(images[..., None], {"probabilities": digits}, epochs=epochs, batch_size=BATCH, verbose=0)
    GOAL.check("digits", score(model))
    return model


def test_data() -> tuple[np.ndarray, np.ndarray]:
    """Return images, uint8 (450, 8, 8, 1), and digits, int32 (450,)."""
    images, digits = scans("test")
    return images[..., None], digits


def score(model: keras.Model) -> float:
    """Compute the share of test images whose digit is read right."""
    images, digits = test_data()
    return float(np.mean(model.predict(images, verbose=0)["digit"] == digits))


def _convolution(x: Any, channels: int, activation: type[keras.Layer], name: str) -> Any:
    x = layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"{name}_conv")(x)
    x = LayerNormalization(name=f"{name}_norm")(x)
    return activation(name=name)(x)


def _gate(x: Any, name: str) -> Any:
    """Squeeze and excitation: weigh each channel by what the whole image holds (https://arxiv.org/abs/1709.01507)."""
    channels = x.shape[-1]
    g = layers.GlobalAveragePooling2D(keepdims=True, name=f"{name}_squeeze")(x)
    g = layers.Dense(channels // 4, activation="exporter>swish", name=f"{name}_narrow")(g)
    g = layers.Dense(channels, name=f"{name}_widen")(g)
    g = HardSigmoid(name=f"{name}_sigmoid")(g)
    return layers.Multiply(name=name)([x, g])
