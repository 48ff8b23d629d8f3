"""Custom layers on `keras.ops`: they train under TensorFlow, JAX and PyTorch, and export to every format.

Importing this package registers the layers and the activation functions with Keras: all that a saved model needs.
"""

from __future__ import annotations

import exporter.activations  # noqa: F401 (so that a file that says "exporter>elish" loads)
from exporter.layers.elish import ELiSH
from exporter.layers.expression import Expression
from exporter.layers.hard_sigmoid import HardSigmoid
from exporter.layers.hard_swish import HardSwish
from exporter.layers.image_normalize import ImageNormalize
from exporter.layers.label_scores import LabelScores
from exporter.layers.layer_normalization import LayerNormalization
from exporter.layers.linear import Linear
from exporter.layers.mish import Mish
from exporter.layers.rms_normalization import RMSNormalization
from exporter.layers.swish import Swish
from exporter.layers.top_k import TopK

__all__ = [
    "ELiSH",
    "Expression",
    "HardSigmoid",
    "HardSwish",
    "ImageNormalize",
    "LabelScores",
    "LayerNormalization",
    "Linear",
    "Mish",
    "RMSNormalization",
    "Swish",
    "TopK",
]
