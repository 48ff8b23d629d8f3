"""Elements by index: along any axis, with shared axes, negative, out of range as Keras has it, empty."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

from exporter.errors import InvalidArtifactError
from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

NUMBERS = np.random.default_rng(0).integers(-99, 99, (3, 5, 4))
PLACES = np.random.default_rng(1).integers(0, 3, (3, 2))


def strange():
    x = normal(3, 5, 4)
    x[0, 0], x[1, 4] = [np.nan, np.inf, -np.inf, -0.0], [3.4e38, -3.4e38, 1e-30, 0]
    return x


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("kind", ["int32", "int64"])
def test_along_axes(dtype, kind):
    def function(x, n):
        return [
            ops.take(x, n, axis=0),
            ops.take(x, n, axis=1),
            ops.take(x, n, axis=-1),
            ops.take(x, n),
            ops.take(x, n[:, 0], axis=1),
            ops.take(x, n[0, 0], axis=2),
            ops.take(x, [2, -1, 0, -3], axis=1),
            ops.take(x, -1, axis=1),
            ops.take(ops.transpose(x, (2, 0, 1)), n[:, 1], axis=0),
        ]

    exported = export(model_of(inside(function), ((None, 5, 4), dtype), ((None, 2), kind)))
    for places in (PLACES, -1 - PLACES, PLACES[:1]):
        exported.check(NUMBERS.astype(dtype), places.astype(kind))
    if dtype == "float32":
        exported.check(strange(), PLACES.astype(kind))
    assert exported.ops["Gather"] >= 8
    assert not {"GatherND", "Loop"} & set(exported.ops)


def test_with_shared_axes():
    def function(x, n):
        lengths = n[:, 0]
        return [
            tf.gather(x, n, axis=1, batch_dims=1),
            tf.gather(x, n, axis=2, batch_dims=1),
            tf.gather(x, lengths, axis=1, batch_dims=1),
            tf.gather(x, lengths[:, None, None], axis=2, batch_dims=1),
            tf.gather(x, tf.tile(n[:, :1, None], [1, 5, 2]), axis=2, batch_dims=2),
            tf.gather(x, n, batch_dims=-1, axis=1),
        ]

    exported = export(model_of(inside(function), ((None, 5, 4), "float32"), ((None, 2), "int32")))
    exported.check(strange(), PLACES.astype("int32"))
    exported.check(strange()[:1], PLACES[:1].astype("int32"))
    assert exported.ops["GatherND"] == 5  # two of the six are the same


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_take_along_axis(dtype):
    def function(x, n):
        along = [ops.take_along_axis(x, n[:, :, None], axis=axis) for axis in (1, 2)]
        row = x[:, 0]
        return [*along, ops.take_along_axis(x[:, :2, 0], n, axis=-1), ops.take_along_axis(row, ops.argsort(row), 1)]

    exported = export(model_of(inside(function), ((None, 5, 4), dtype), ((None, 5), "int32")))
    places = np.random.default_rng(2).integers(-2, 2, (3, 5)).astype("int32")
    for n in (places, places % 2):
        exported.check(NUMBERS.astype(dtype), n)


def test_by_coordinates():
    def function(x, n):
        rows = tf.gather_nd(x, n)
        elements = tf.gather_nd(x, tf.concat([n, n[:, :1]], 1))
        return rows, elements, tf.gather_nd(x, n[:, None, :1]), tf.gather_nd(x, n % 2, batch_dims=0)

    exported = export(model_of(inside(function), ((None, 5, 4), "float32"), ((None, 2), "int32")))
    exported.check(strange(), PLACES.astype("int32"))
    exported.check(strange(), PLACES[:0].astype("int32"))
    assert exported.ops["GatherND"] == 4


OUTSIDE = [[5, 0], [0, 7]], [[-6, 0], [0, -100]]


@pytest.mark.parametrize(
    "function",
    [
        lambda x, n: ops.take(x, n, axis=1),
        lambda x, n: ops.take_along_axis(x, n, axis=1),
        inside(lambda x, n: tf.gather(x, n, axis=1, batch_dims=1)),
        lambda x, n: layers.Embedding(5, 3)(n) + x[:, :1, None],
    ],
    ids=["take", "take_along_axis", "shared axes", "Embedding"],
)
def test_places_out_of_range_are_an_error(function):
    """As they are in TensorFlow on a CPU: neither gives numbers for them."""
    model = model_of(function, ((None, 5), "float32"), ((None, 2), "int32"))
    exported = export(model)
    exported.check(normal(2, 5), np.int32([[4, 0], [0, 3]]))
    for places in OUTSIDE:
        fed = [normal(2, 5), np.array(places, "int32")]
        with pytest.raises((tf.errors.InvalidArgumentError, ValueError)):
            model.predict(fed, verbose=0)
        with pytest.raises(InvalidArtifactError, match=r"out of (data )?bounds|invalid"):
            exported.runner.run(dict(zip(("x0", "x1"), fed, strict=True)))


def test_rows_of_a_variable():
    """tf.gather and embedding_lookup of a tf.Variable read it on the way."""
    table = tf.Variable(normal(7, 3))

    def function(n):
        return [tf.gather(table, n), tf.nn.embedding_lookup(table, n), tf.gather_nd(table, n)]

    export(model_of(inside(function), ((None, 2), "int32"))).check(np.int32([[1, 2], [6, 0]]))
