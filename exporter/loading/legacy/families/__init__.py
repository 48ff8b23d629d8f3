"""What Keras 3 calls, computes or stores differently, by family of layers: one file each.

A rule takes a layer (`LayerConfig`) and changes it in place:

    @FAMILIES.register("LeakyReLU")
    def leaky_relu(layer: LayerConfig) -> None:
        layer.rename("alpha", "negative_slope")

What no rule mentions is the same in Keras 2 and 3, and so are its arguments: others are refused by name.
"""

from __future__ import annotations

from collections.abc import Callable

from exporter.loading.legacy.layer_config import LayerConfig
from exporter.registry import Registry, import_submodules

Rule = Callable[[LayerConfig], None]

FAMILIES: Registry[Rule] = Registry("family of layers of Keras 2")

import_submodules(__name__)
