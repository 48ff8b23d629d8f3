"""Weights that are not what layers start with: biases of zeros and scales of ones hide what is left out."""

from __future__ import annotations

import keras
import numpy as np


def randomized(model: keras.Model) -> keras.Model:
    """Give every weight random numbers; variances are positive."""
    rng = np.random.default_rng(3)
    for weight in model.weights:
        if "seed" not in weight.path:
            value = rng.normal(size=weight.shape) * 0.5
            weight.assign(np.abs(value) + 0.1 if "variance" in weight.path else value)
    return model
