"""Images resized to sizes that are not known while tracing.

`keras.ops.image.resize` of Keras 3.15 asks in Python whether the size is positive, which a tensor of a graph does not answer.
So UpSampling2D with an interpolation traces for images of fixed sizes only, and `predict` fails on images of several sizes.
What lies below the question computes it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from exporter.lowerings.override import overridden


@contextlib.contextmanager
def of_any_size() -> Iterator[None]:
    """Trace inside this context without the question."""
    with overridden({}, {"keras.src.ops.image.resize": _resize}):
        yield


def _resize(original: Callable[..., Any], images: Any, size: Any, **options: Any) -> Any:
    import keras
    import tensorflow as tf

    if not any(map(tf.is_symbolic_tensor, size)):
        return original(images, size, **options)
    return keras.src.backend.image.resize(images, size, **options)
