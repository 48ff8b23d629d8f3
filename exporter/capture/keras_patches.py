"""The one table of workarounds for Keras: what it computes or refuses otherwise than `predict` on the data at hand.

A file is traced for dimensions of any size and for any batch; `predict` traces for the sizes that it is given, and what it
gives is the truth. Where Keras's graph of any size differs, the table says what is replaced while a model is traced, and why.
Each entry has a canary among the tests, which fails as soon as Keras does without it: then the entry can go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from exporter.capture.layer_scopes import scope_of
from exporter.capture.patching import Replacement, overridden
from exporter.tfgraph.ancestors import ops_behind


@dataclass(frozen=True)
class Patch:
    """One workaround.

    Args:
        target: the full name of the function or method of Keras.
        replacement: called with the original and its arguments.
        bug: what Keras does without it.
        seen: the version of Keras in which that was seen last.
    """

    target: str
    replacement: Replacement
    bug: str
    seen: str = "3.15"


@contextlib.contextmanager
def patched(*patches: Patch) -> Iterator[None]:
    """Trace inside this context with these workarounds."""
    with overridden({}, {patch.target: patch.replacement for patch in patches}):
        yield


def _spelled_scope(original: Callable[..., Any], name: str, **options: Any) -> Any:
    return original(scope_of(name), **options)


def _resize(original: Callable[..., Any], images: Any, size: Any, **options: Any) -> Any:
    """Resize by what lies below the question."""
    import keras
    import tensorflow as tf

    if not any(map(tf.is_symbolic_tensor, size)):
        return original(images, size, **options)
    return keras.src.backend.image.resize(images, size, **options)


def _every_step(original: Callable[..., Any], layer: Any, inputs: Any, training: Any = None, mask: Any = None) -> Any:
    """Apply the inner layer to each of an unknown number of steps."""
    if inputs.shape[1] is not None:
        return original(layer, inputs, training=training, mask=mask)
    import keras
    from keras import ops

    inner = layer.layer
    options = {"training": training} if inner._call_has_training_arg else {}
    masked = mask is not None and inner._call_has_mask_arg
    by_time: Any = _time_first(inputs)
    masks: Any = _time_first(mask) if masked else None

    def step(at: Any) -> Any:
        return inner.call(by_time[at], **options, **({"mask": masks[at]} if masked else {}))

    steps = ops.arange(ops.shape(inputs)[1])
    return keras.tree.map_structure(_time_first, keras.src.backend.vectorized_map(step, steps))


def _time_first(x: Any) -> Any:
    """Swap the axes of batch and time."""
    from keras import ops

    return ops.transpose(x, [1, 0, *range(2, len(x.shape))])


def _add(original: Callable[..., Any], x1: Any, x2: Any) -> Any:
    """Add with broadcasting where Keras would take rows of the batch for a bias."""
    import keras
    import tensorflow as tf

    if not (tf.is_tensor(x1) and tf.is_symbolic_tensor(x2) and _taken_for_bias(x1.shape, x2.shape) and _of_inputs(x2)):
        return original(x1, x2)
    dtype = keras.backend.result_type(x1.dtype, x2.dtype)
    return tf.add(tf.cast(x1, dtype), tf.cast(x2, dtype))


def _taken_for_bias(x: Any, bias: Any) -> bool:
    """Whether `bias` has one size other than 1, and on another axis than the one that Keras adds it along."""
    if x.rank is None or bias.rank is None or bias.rank < 2 or bias[0] != 1:
        return False
    wide = [axis for axis, size in enumerate(bias) if size != 1]
    if len(wide) != 1 or x.rank < 2:
        return False
    axis = wide[0] - bias.rank
    return bias[axis] in (x[1], x[-1]) and (bias.rank > x.rank or axis != _biased_axis(x, bias[axis]))


def _biased_axis(x: Sequence[int | None], size: int) -> int:
    return -1 if x[-1] == size else 1 - len(x)


def _of_inputs(tensor: Any) -> bool:
    """Whether a tensor depends on an input of its graph: what depends on constants and weights alone has no rows."""
    captured = {id(t.op) for t in tensor.graph.internal_captures}
    return any(op.type == "Placeholder" and id(op) not in captured for op in ops_behind([tensor]))


SCOPES = Patch(
    "keras.src.backend.name_scope",
    _spelled_scope,
    "opens a scope of each layer's name; TensorFlow allows few characters there, and a model with a layer “größe” that JAX "
    "has trained has no `predict` in TensorFlow",
)
RESIZING = Patch(
    "keras.src.ops.image.resize",
    _resize,
    "asks in Python whether the size is positive, which a tensor of a graph does not answer: UpSampling2D with an "
    "interpolation traces for images of fixed sizes only, and `predict` fails on images of several sizes",
)
ONE_ROW = Patch(
    "keras.src.backend.tensorflow.numpy.add",
    _add,
    "takes the second operand for a bias when all of its sizes but one are 1 and the other is that of the first operand's "
    "second or last axis: of [batch, n, 1] + [batch, 1, n], the scores of a graph attention, a batch of one becomes "
    "[1, n, 1], and [batch, n, n] for more rows. A model that fixes its batch at one has known nothing else, and keeps it",
)
UNKNOWN_STEPS = Patch(
    "keras.layers.TimeDistributed.call",
    _every_step,
    "takes as many steps as there are rows where the number of steps is unknown",
)
PATCHES = (SCOPES, RESIZING, ONE_ROW, UNKNOWN_STEPS)
