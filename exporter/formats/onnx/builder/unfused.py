"""Additions that ONNX Runtime must not fuse with what follows, because its fused op is slower on a CPU: Sum instead of Add.

SkipLayerNormalization takes four times as long as Add and LayerNormalization; BiasGelu takes 0.46 ms more than Add and Gelu on
56 x 56 x 384, 0.19 ms on 128 x 2048 (1.32, one thread).
"""

from __future__ import annotations

from exporter.formats.onnx.builder.value import Value


def prevent_ort_fusion(x: Value, *, bias: bool = False) -> Value:
    """Write the addition that made `x` as Sum: of two computed tensors, or of one and a bias."""
    node = x.ir.producer() if x.ir is not None else None
    if node is not None and node.op_type == "Add":
        constants = sum(i is not None and i.const_value is not None for i in node.inputs)
        if constants == int(bias):
            node.op_type = "Sum"
    return x
