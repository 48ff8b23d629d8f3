"""Reads a handwritten digit from a strip of rows, from top to bottom, with recurrent layers.

    rows uint8 (12, 8) -> ImageNormalize -> Masking of blank rows -> Bidirectional(GRU) -> LSTM
      -> Dense -> probabilities (10)

A scan is 8 rows high and lies anywhere in a strip of 12: there are blank rows above it, below it, or both, and the
masks let the recurrent layers step over them.
"""

from __future__ import annotations

from typing import Literal

import keras
import numpy as np
from keras import layers

from exporter.layers import ImageNormalize
from models._goal import Goal
from models._scans import Scans, scans

GOAL = Goal("accuracy", least=0.93)
HEIGHT = 12
EPOCHS = 15
BATCH = 64
SEED = 2
PLACE_SEED = 0


def build() -> keras.Model:
    """Build the model: 30 thousand parameters, random weights."""
    rows = keras.Input((HEIGHT, 8), dtype="uint8", name="rows")
    x = ImageNormalize(name="normalize")(rows)
    x = layers.Masking(name="skip_blank_rows")(x)
    x = layers.Bidirectional(layers.GRU(32, return_sequences=True, name="gru"), name="both_ways")(x)
    x = layers.LSTM(48, name="read")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    probabilities = layers.Dense(10, activation="softmax", name="probabilities")(x)
    return keras.Model(rows, probabilities, name="digit_rows")


def train(epochs: int = EPOCHS, seed: int = SEED) -> keras.Model:
    """Train the model; the same seed gives the same weights.

    Raises:
        GoalMissedError: if the accuracy on the test set is below the goal.
    """
    keras.utils.set_random_seed(seed)
    model = build()
    strips, digits = _strips("train")
    rate = keras.optimizers.schedules.CosineDecay(1e-2, epochs * -(-len(strips) // BATCH))
    model.compile(
        keras.optimizers.Adam(rate),
        loss="sparse_categorical_crossentropy",
        jit_compile=False,  # XLA would take longer to compile than the training takes
    )
    model.fit(strips, digits, epochs=epochs, batch_size=BATCH, verbose=0)
    GOAL.check("digit_rows", score(model))
    return model


def test_data() -> tuple[np.ndarray, np.ndarray]:
    """Return strips, uint8 (450, 12, 8), and digits, int32 (450,)."""
    return _strips("test")


def score(model: keras.Model) -> float:
    """Compute the share of test strips whose digit is read right."""
    strips, digits = test_data()
    return float(np.mean(model.predict(strips, verbose=0).argmax(axis=-1) == digits))


def _strips(part: Literal["train", "test"]) -> Scans:
    """Place each scan in a blank strip, at a random height."""
    images, digits = scans(part)
    height = images.shape[1]
    strips = np.zeros((len(images), HEIGHT, images.shape[2]), np.uint8)
    tops = np.random.default_rng(PLACE_SEED).integers(0, HEIGHT - height + 1, len(images))
    for strip, image, top in zip(strips, images, tops, strict=True):
        strip[top : top + height] = image
    return Scans(strips, digits)
