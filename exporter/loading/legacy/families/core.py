"""Inputs, embeddings, Lambda."""

from __future__ import annotations

from exporter.loading.legacy.families import FAMILIES
from exporter.loading.legacy.layer_config import LayerConfig


@FAMILIES.register("InputLayer")
def input_layer(layer: LayerConfig) -> None:
    """Sparse and ragged inputs have other values in them than their shape says."""
    layer.rename("batch_input_shape", "batch_shape")
    layer.require("ragged", False, None, reason="Keras 3's Functional models take no ragged tensors")
    layer.require("type_spec", None, reason="Keras 3 describes inputs by shape and dtype")
    layer.drop("input_shape", "batch_size")


@FAMILIES.register("Lambda")
def lambda_layer(layer: LayerConfig) -> None:
    """Bytecode as Keras 3 stores it; the audit refuses it all the same, and only trust lets it through."""
    layer.module = "keras.layers"
    layer.drop("module", "function_type", "output_shape_type", "output_shape_module")
    function = layer.config.get("function")
    if isinstance(function, list) and len(function) == 3:
        code = dict(zip(("code", "defaults", "closure"), function, strict=True))
        layer.config["function"] = {"class_name": "__lambda__", "config": code}
