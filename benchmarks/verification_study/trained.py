"""Networks trained on real digits: scikit-learn's, 1,797 of 8x8 pixels, and the same at the size of MNIST."""

from __future__ import annotations

from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers

from benchmarks.verification_study.case import Case


@cache
def digits(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return images in [0, 1], float32[n, size, size, 1], and labels."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images = (data.images / 16).astype("float32")[..., None]
    if size != 8:
        places = np.clip((np.arange(size) + 0.5) * 8 / size - 0.5, 0, 7)
        low = np.minimum(places.astype(int), 6)
        part = (places - low).astype("float32")
        images = _between(images, low, part[:, None, None], 1)
        images = _between(images, low, part[:, None], 2)
    return images, data.target


def _between(images: np.ndarray, low: np.ndarray, part: np.ndarray, axis: int) -> np.ndarray:
    """Interpolate along an axis: between `low` and the next, `part` of the way."""
    return np.take(images, low, axis) * (1 - part) + np.take(images, low + 1, axis) * part


def _trained(model: Any, size: int, epochs: int) -> Any:
    images, labels = digits(size)
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(images, labels, batch_size=64, epochs=epochs, verbose=0)
    return model


def mnist_tutorial(rng: np.random.Generator) -> Any:
    """Return the network of Keras's tutorial on MNIST, trained."""
    parts = [keras.Input((28, 28, 1), name="digit")]
    parts += [layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2)]
    parts += [layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2)]
    parts += [layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, activation="softmax", name="p")]
    return _trained(keras.Sequential(parts), 28, 2)


def small_digits(rng: np.random.Generator) -> Any:
    """Return a small network with a drawn normalization, trained on 8x8 pixels."""
    from benchmarks.verification_study.images import drawn_activation, normalization

    parts = [keras.Input((8, 8, 1), name="digit"), layers.Conv2D(16, 3, padding="same"), normalization(rng)]
    parts += [layers.Activation(drawn_activation(rng)), layers.MaxPooling2D(), layers.Conv2D(16, 3), normalization(rng)]
    parts += [layers.Flatten(), layers.Dense(10, activation="softmax", name="p")]
    return _trained(keras.Sequential(parts), 8, 10)


def dense_digits(rng: np.random.Generator) -> Any:
    """Return a plain network of dense layers, trained until it is sure of itself."""
    parts = [keras.Input((8, 8, 1), name="digit"), layers.Flatten(), layers.Dense(64, activation="relu")]
    parts += [layers.Dropout(0.2), layers.Dense(10, activation="softmax", name="p")]
    return _trained(keras.Sequential(parts), 8, 40)


def cases(seeds: int) -> list[Case]:
    """Return the trained networks, twelve of the tutorial's."""
    several = [Case("small_digits", s, small_digits, samples=lambda: digits(8)[0][:64]) for s in range(2 * seeds)]
    several += [Case("dense_digits", s, dense_digits, samples=lambda: digits(8)[0][:64]) for s in range(seeds)]
    several += [
        Case("mnist_tutorial", s, mnist_tutorial, faults=s == 0, samples=lambda: digits(28)[0][:64]) for s in range(12)
    ]
    return several
