"""Small models for the tests of this room, and runners that need no file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import keras
import numpy as np
from keras import layers

from exporter.capture.inference import Inference


def dense(units=3, features=4):
    keras.utils.set_random_seed(0)
    return keras.Sequential([keras.Input((features,), name="x"), layers.Dense(units, name="y")])


def embedding(dtype="int32", size=50, length=None):
    tokens = keras.Input((length,), name="tokens", dtype=dtype)
    x = layers.Embedding(size, 8, mask_zero=True)(tokens)
    return keras.Model(tokens, layers.Dense(3, name="y")(layers.GRU(4)(x)))


class KerasRunner:
    """Keras in place of a file: what a faithful file would do.

    Args:
        model: the model.
        batch: the batch of the "file"; None: dynamic.
        change: applied to the outputs before they are returned.
    """

    remarks: tuple[str, ...] = ()
    arithmetic: Mapping[str, str] = MappingProxyType({})

    def __init__(self, model, batch=None, change=lambda outputs: outputs):
        self._inference = Inference(model)
        self._change = change
        self.outputs = self._inference.outputs
        self.inputs = tuple(replace(i, shape=(batch, *i.shape[1:])) if batch else i for i in self._inference.inputs)
        self.batches = []

    def run(self, inputs):
        self.batches.append(len(next(iter(inputs.values()))))
        return self._change(self._inference.predict(inputs))


def noise(scale):
    """Return a change that adds noise of `scale` times the largest value, the same for the same shape."""

    def change(outputs):
        return {
            name: (a + scale * np.abs(a).max(initial=0) * np.random.default_rng(0).uniform(-1, 1, a.shape)).astype(
                a.dtype
            )
            for name, a in outputs.items()
        }

    return change
