"""Shapes of which parts are known while tracing."""

from __future__ import annotations

from typing import Any

import tensorflow as tf


def sizes_of(x: Any) -> list[Any]:
    """Return the shape, a tensor in place of each dynamic dimension."""
    dynamic = tf.shape(x)
    return [dynamic[i] if size is None else size for i, size in enumerate(x.shape)]
