"""Activation functions on `keras.ops`, right for every float input.

Importing this package registers them, so that their names work: `Dense(8, activation="exporter>elish")`.
"""

from __future__ import annotations

from exporter.activations.elish import elish
from exporter.activations.hard_sigmoid import hard_sigmoid
from exporter.activations.hard_swish import hard_swish
from exporter.activations.mish import mish
from exporter.activations.swish import swish

__all__ = ["elish", "hard_sigmoid", "hard_swish", "mish", "swish"]
