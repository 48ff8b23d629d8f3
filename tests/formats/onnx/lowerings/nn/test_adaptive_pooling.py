"""Adaptive pooling into windows of one and of two sizes, both data formats, specials, no rows."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from tests.formats.onnx.lowerings.exported import export, normal

KINDS = [n for n in dir(layers) if n.startswith("Adaptive")]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", KINDS)
def test_windows(kind, data_format):
    rank = int(kind[-2])
    spatial = (6, 5, 4)[:rank]
    shape = (*spatial, 2) if data_format == "channels_last" else (2, *spatial)
    x = keras.Input(shape)
    pool = getattr(layers, kind)
    exported = export(keras.Model(x, [pool(size, data_format=data_format)(x) for size in (2, 3)]))
    values = normal(2, *shape)
    exported.check(values)
    exported.check(values[:0])
    values.reshape(-1)[[0, 17]] = 3.4e38, -np.inf
    exported.check(values)
    assert not {"Loop", "If", "Resize"} & set(exported.ops)


@pytest.mark.parametrize(("size", "forms"), [(3, {"MaxPool": 1}), (4, {"MaxPool": 1, "Gather": 1})])
def test_one_pool_where_the_windows_are_equal(size, forms):
    x = keras.Input((2, 6))
    y = layers.AdaptiveMaxPooling1D(size, data_format="channels_first")(x)
    exported = export(keras.Model(x, y))
    exported.check(normal(2, 2, 6))
    assert exported.ops == forms
