"""Compare probabilities as logits too: softmax hides errors.

A softmax of 10 or 1,000 classes is nearly 0 nearly everywhere, and an error there is nothing beside a scale of 1. Yet
every runtime computes softmax to full relative precision, down to where float32 ends. So its logarithm is compared as
well, which is the logits up to a number per row. Other ways to get probabilities, such as sigmoid, have no such
precision in ONNX Runtime; so it is the graph that tells, not the values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.verification.floats import widest

SMALLEST = 2.0**-100  # of the probabilities that are compared; float32 has 2^-126, and the sum behind it needs room

_LEAST = 2.0**-149
_MOVERS = frozenset({"Identity", "Reshape", "Squeeze", "Transpose"})  # they move values and change none


def softmax_outputs(inference: Inference) -> frozenset[str]:
    """Return the names of the float32 outputs that a softmax makes."""
    tensors = inference.concrete().graph.outputs
    return frozenset(
        info.name
        for info, tensor in zip(inference.outputs, tensors, strict=True)
        if info.dtype == "float32" and _maker(tensor.op).type == "Softmax"
    )


def log_errors(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return |log value - log reference| / (1 + |log reference|); 0 where the reference is below `SMALLEST`.

    The division makes it the error relative to the logit, whose own rounding grows with it. A 0 counts as the smallest
    number that float32 has, below which it came from: how far off it is then has a figure, which draws of the same kind
    have, too. What is negative or no number has an infinite error.
    """
    compared = widest(reference) >= SMALLEST
    value = np.where(widest(value) == 0, _LEAST, widest(value))
    logits = np.log(np.where(compared, widest(reference), 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = np.abs(np.log(np.where(compared, widest(value), 1)) - logits) / (1 + np.abs(logits))
    return np.where(np.isnan(errors), np.inf, errors)


def _maker(op: Any) -> Any:
    while op.type in _MOVERS:
        op = op.inputs[0].op
    return op
