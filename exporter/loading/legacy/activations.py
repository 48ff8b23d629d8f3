"""Activation functions: names in a config, or layers that stand in their place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exporter.loading.legacy.layer_config import LayerConfig
    from exporter.loading.legacy.translation import Translator

ARGUMENTS = ("activation", "recurrent_activation")


def translated(value: Any, layer: LayerConfig, translator: Translator) -> Any:
    """The activation with the meaning that it had in Keras 2.

    `hard_sigmoid` was clip(0.2 x + 0.5, 0, 1); in Keras 3 it is clip(x / 6 + 0.5, 0, 1), up to 0.083 off. Ours has
    slope and offset of its own. All others of that name compute the same.
    """
    name = value.get("config") if isinstance(value, dict) and value.get("class_name") == "function" else value
    if name == "hard_sigmoid":
        layer.note(
            "hard_sigmoid of Keras 2 has slope 0.2, that of Keras 3 has 1/6: kept as exporter.activations.hard_sigmoid",
            "for Keras 3's own set activation='hard_sigmoid' and train again",
        )
        return "exporter>hard_sigmoid"
    return translator.value(value, "layers") if isinstance(value, dict) and value is name else value
