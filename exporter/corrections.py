"""Where Keras's graph for dimensions of any size computes something else than its graph for the sizes at hand.

`predict` traces a model for the sizes that it is given; a file is traced for any. What `predict` gives is the truth. One
layer differs in Keras 3.15: TimeDistributed over an unknown number of steps takes as many steps as there are rows.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from exporter.lowerings.override import overridden


@contextlib.contextmanager
def corrected() -> Iterator[None]:
    """Trace models inside this context as `predict` would for the sizes at hand."""
    import keras

    with overridden({keras.layers.TimeDistributed: _every_step}, {}):
        yield


def _every_step(original: Callable[..., Any], layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    """Apply the inner layer to each of an unknown number of steps."""
    if inputs.shape[1] is not None:
        return original(layer, inputs, training=training, mask=mask)
    import keras
    from keras import ops

    inner = layer.layer
    options = {"training": training} if inner._call_has_training_arg else {}
    masked = mask is not None and inner._call_has_mask_arg
    by_time: Any = _swapped(inputs)
    masks: Any = _swapped(mask) if masked else None

    def step(at: Any) -> Any:
        return inner.call(by_time[at], **options, **({"mask": masks[at]} if masked else {}))

    return keras.tree.map_structure(_swapped, keras.src.backend.vectorized_map(step, ops.arange(ops.shape(inputs)[1])))


def _swapped(x: Any) -> Any:
    from keras import ops

    return ops.transpose(x, [1, 0, *range(2, len(x.shape))])
