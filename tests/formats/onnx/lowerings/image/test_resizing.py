"""Resizing by every method, to smaller and larger images, exact at the edges; opsets, dtypes and layouts."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from exporter.errors import UnsupportedError
from tests.formats.onnx.lowerings.exported import export, inside, model_of, normal

METHODS = ("nearest", "bilinear", "bicubic", "area", "lanczos3", "lanczos5")
SIZES = [(5, 7), (16, 20), (9, 3), (8, 10), (13, 30)]  # of images of 8 by 10
EXPECTED_OPS = {"bilinear": {"Resize"}, "bicubic": {"MatMul", "Transpose"}, "area": {"MatMul", "Transpose"}}


def images(*shape, dtype="float32"):
    return np.random.default_rng(0).integers(0, 256, shape).astype(dtype)


def resized(method="bilinear", size=(5, 7), shape=(8, 10, 3), dtype="float32", **arguments):
    layer = layers.Resizing(*size, interpolation=method, **arguments)
    return keras.Sequential([keras.Input(shape, dtype=dtype), layer])


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_every_method(method, size):
    exported = export(resized(method, size))
    exported.check(images(2, 8, 10, 3))
    exported.check(images(0, 8, 10, 3))
    assert set(exported.ops) <= EXPECTED_OPS.get(method, {"Resize", "Gather", "MatMul", "Transpose"})


@pytest.mark.parametrize("method", ["bilinear", "bicubic", "lanczos3"])
def test_antialiasing(method):
    export(resized(method, antialias=True)).check(images(2, 8, 10, 3))


@pytest.mark.parametrize("method", ["nearest", "bilinear"])
def test_images_of_any_size(method):
    exported = export(resized(method, shape=(None, None, 3)))
    for height, width in ((8, 10), (5, 7), (31, 2)):
        exported.check(images(2, height, width, 3))


@pytest.mark.parametrize("opset", [13, 18])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_opsets_and_layouts(opset, data_format):
    shape = (8, 10, 3) if data_format == "channels_last" else (3, 8, 10)
    for method in ("bilinear", "nearest"):
        exported = export(resized(method, (16, 30), shape, data_format=data_format), opset=opset)
        exported.check(images(2, *shape))


@pytest.mark.parametrize("method", ["nearest", "bilinear", "bicubic"])
def test_bytes(method):
    export(resized(method, dtype="uint8")).check(images(2, 8, 10, 3, dtype="uint8"))


def test_nearest_takes_pixels_as_they_are():
    x = images(2, 8, 10, 3)
    x[0, 0, 0], x[1, 3, 4], x[1, 7, 9] = np.nan, np.inf, -np.inf
    exported = export(resized("nearest"))
    exported.check(x)
    assert set(exported.ops) == {"Gather"}


def test_repeated_pixels_are_one_resize():
    assert set(export(resized("nearest", (16, 30))).ops) == {"Resize"}


def test_between_convolutions_it_stays_channels_first():
    steps = [layers.Conv2D(4, 3), layers.Resizing(12, 12), layers.Conv2D(4, 3), layers.Resizing(5, 5, "bicubic")]
    exported = export(keras.Sequential([keras.Input((8, 10, 3)), *steps, layers.Conv2D(2, 1)]))
    exported.check(images(2, 8, 10, 3) / 255)
    assert exported.ops["Transpose"] == 2


def test_a_method_that_needs_a_fixed_size_says_so():
    with pytest.raises(UnsupportedError, match="fixed height and width"):
        export(resized("bicubic", shape=(None, None, 3)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("shape", [(8, 10, 3), (None, None, 3)], ids=str)
@pytest.mark.parametrize("size", [(2, 2), (3, 5), (1, 7)], ids=str)
def test_pixels_repeated(size, shape, data_format):
    shape, given = ((shape[2], *shape[:2]), (3, 8, 10)) if data_format == "channels_first" else (shape, (8, 10, 3))
    exported = export(keras.Sequential([keras.Input(shape), layers.UpSampling2D(size, data_format=data_format)]))
    x = images(2, *given)
    x.flat[5:8] = np.nan, np.inf, -np.inf
    exported.check(x)
    exported.check(images(0, *given))
    assert dict(exported.ops) == {"Resize": 1}


def test_pixels_repeated_between_convolutions_are_not_turned():
    stack = [layers.Conv2D(16, 3), layers.UpSampling2D(), layers.Conv2D(16, 3)]
    exported = export(keras.Sequential([keras.Input((8, 10, 3)), *stack]), opset=13)
    exported.check(images(2, 8, 10, 3))
    assert exported.ops["Transpose"] == 2


@pytest.mark.parametrize("dtype", ["float64", "int32"])
def test_pixels_repeated_of_other_types(dtype):
    model = keras.Sequential([keras.Input((8, 10, 3), dtype=dtype), layers.UpSampling2D((2, 3), dtype=dtype)])
    export(model).check(images(2, 8, 10, 3, dtype=dtype))


ANY = ((None,) * 4, "float32")


@pytest.mark.parametrize("method", ["bilinear", "nearest"])
@pytest.mark.parametrize("images", [ANY, ((None, 5, 7, 3), "float32")], ids=["any", "fixed"])
def test_to_the_size_of_another_tensor(images, method):
    """What feature pyramids and skip connections do."""

    def function(x, like):
        size = tf.shape(like)[1:3]
        legacy = {"bilinear": tf.compat.v1.image.resize_bilinear, "nearest": tf.compat.v1.image.resize_nearest_neighbor}
        return [
            tf.image.resize(x, size, method=method),
            *(legacy[method](x, size, align_corners=corners) for corners in (False, True)),
        ]

    exported = export(model_of(inside(function), images, ANY))
    for height, width in ((11, 4), (5, 7), (2, 14), (1, 1)):
        exported.check(normal(2, 5, 7, 3), normal(1, height, width, 1))
