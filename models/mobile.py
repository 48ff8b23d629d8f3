"""MobileNetV3Small of keras.applications: the size of model that people ship. It has random weights and no training.

    image float32 (224, 224, 3), 0 to 255 -> Rescaling -> 34 convolutions -> predictions (1000), probabilities

No weights are downloaded. The random ones are chosen such that the net behaves like a trained one: signals neither
vanish nor explode on the way, and different images get different answers. The test set are photographs bundled with
scikit-learn ("china" by danielbuechele, "flower" by vultilion; CC BY 2.0), in crops, and scans of digits, enlarged.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers

from models._goal import Goal
from models._scans import scans

GOAL = Goal("number of different answers", least=12)
SIZE = 224
PHOTOGRAPHS = ("china.jpg", "flower.jpg")  # 427 x 640 each
GRID = (3, 5)  # of overlapping crops, down and across
DIGITS = 10
SEED = 0


def build() -> keras.Model:
    """Build the model: 2.6 million parameters, seeded weights, BatchNorm statistics of real images, made irregular."""
    image = keras.Input((SIZE, SIZE, 3), name="image")
    net = keras.applications.MobileNetV3Small(input_tensor=image, weights=None)
    model = keras.Model(image, net.output, name="mobile")  # the same layers; takes a tensor, where `net` takes a list
    rng = np.random.default_rng(SEED)
    for layer in model.layers:
        for weight in layer.trainable_weights:
            weight.assign(_random(layer, weight, rng))
    normalizations = [layer for layer in model.layers if isinstance(layer, layers.BatchNormalization)]
    _calibrate(model, normalizations)
    for layer in normalizations:
        _jitter(layer, rng)
    return model


def train() -> keras.Model:
    """Return `build()`, which is all there is to do, after checking that it tells images apart.

    Raises:
        GoalMissedError: if too many images get the same answer.
    """
    model = build()
    GOAL.check("mobile", score(model))
    return model


def test_data() -> tuple[np.ndarray, np.ndarray]:
    """Return images, float32 (40, 224, 224, 3), and what they show, int32 (40,): 0 china, 1 flower, 2 a digit."""
    crops = [_crops(_photograph(name)) for name in PHOTOGRAPHS]
    groups = [*crops, _enlarged(scans("test").images[:DIGITS])]
    subjects = np.repeat(np.arange(len(groups), dtype=np.int32), [len(group) for group in groups])
    return np.concatenate(groups), subjects


def score(model: keras.Model) -> float:
    """Compute how many different classes come first among the images of the test set."""
    images, _ = test_data()
    return float(len(set(model.predict(images, verbose=0).argmax(axis=-1))))


def _random(layer: Any, weight: Any, rng: np.random.Generator) -> np.ndarray:
    """Draw one weight: kernels that keep the variance of signals, the rest near 0 or 1.

    Kernels: K. He et al., "Delving Deep into Rectifiers", https://arxiv.org/abs/1502.01852
    """
    shape = tuple(weight.shape)
    if weight.name == "kernel":
        fan_in = np.prod(shape[:2] if isinstance(layer, layers.DepthwiseConv2D) else shape[:-1])
        return rng.normal(0, np.sqrt(2 / fan_in), shape)
    if weight.name == "gamma":
        return rng.uniform(0.5, 1.5, shape)
    if weight.name in ("beta", "bias"):
        return rng.normal(0, 0.2, shape)
    raise AssertionError(f"no rule for {weight.path}")


def _calibrate(model: keras.Model, normalizations: list[Any]) -> None:
    """Set the moving statistics of BatchNorm to those of images that are not in the test set."""
    mirrored = [_crops(_photograph(name))[:, :, ::-1] for name in PHOTOGRAPHS]
    images = np.concatenate([*mirrored, _enlarged(scans("train").images[:DIGITS])])
    momenta = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0  # one batch, and the moving statistics are those of the batch
    model(images, training=True)
    for layer, momentum in zip(normalizations, momenta, strict=True):
        layer.momentum = momentum


def _jitter(layer: Any, rng: np.random.Generator) -> None:
    """Move the statistics of one BatchNorm by up to a fifth or so, as if it had been trained on other images."""
    shape = layer.moving_mean.shape
    deviation = np.sqrt(layer.moving_variance.numpy())
    layer.moving_mean.assign_add(rng.normal(0, 0.2, shape) * deviation)
    layer.moving_variance.assign(layer.moving_variance.numpy() * rng.uniform(0.8, 1.2, shape))


def _photograph(name: str) -> np.ndarray:
    """Return one of the photographs bundled with scikit-learn, float32 (height, width, 3)."""
    from importlib.resources import files

    import tensorflow as tf

    content = files("sklearn.datasets.images").joinpath(name).read_bytes()
    return tf.io.decode_jpeg(content).numpy().astype(np.float32)


def _crops(photograph: np.ndarray) -> np.ndarray:
    height, width, _ = photograph.shape
    tops, lefts = np.linspace(0, height - SIZE, GRID[0], dtype=int), np.linspace(0, width - SIZE, GRID[1], dtype=int)
    return np.stack([photograph[top : top + SIZE, left : left + SIZE] for top in tops for left in lefts])


def _enlarged(images: np.ndarray) -> np.ndarray:
    """Enlarge scans, (n, 8, 8), to colour images, float32 (n, 224, 224, 3)."""
    factor = SIZE // images.shape[1]
    large = images.repeat(factor, axis=1).repeat(factor, axis=2).astype(np.float32)
    return np.stack([large] * 3, axis=-1)
