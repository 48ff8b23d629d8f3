"""EinsumDense: a matrix product wherever the equation is one."""

from __future__ import annotations

import keras
import pytest
from keras import layers

from exporter.formats.onnx.lowerings.nn.einsum_dense import product
from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.nn.test_dense import model


@pytest.mark.parametrize(
    ("equation", "shape", "output", "bias"),
    [
        ("ab,bc->ac", (4,), 3, "c"),
        ("abc,cd->abd", (None, 4), (None, 3), "d"),
        ("abc,cde->abde", (5, 4), (None, 2, 3), "de"),
        ("abc,cde->abde", (5, 4), (None, 2, 3), "d"),
        ("abc,cde->abde", (5, 4), (None, 2, 3), "e"),
        ("abc,cd->abd", (5, 4), (5, 3), "bd"),
        ("abcd,cde->abe", (5, 2, 4), (None, 3), "e"),
        ("abcd,edc->abe", (5, 2, 4), (None, 3), None),
        ("abc,cd->adb", (5, 4), (3, 5), None),
        ("abc,bd->adc", (5, 4), (3, 4), "d"),
        ("abc,bd->acd", (5, 4), (4, 3), "d"),
        ("abcd,bce->ade", (5, 2, 4), (4, 3), "e"),
        ("...x,xy->...y", (4,), 3, "y"),
        ("bqm,muh->bquh", (5, 4), (None, 2, 3), "uh"),
    ],
)
def test_equations_that_are_matrix_products(equation, shape, output, bias):
    exported = export(model(shape, layers.EinsumDense(equation, output, bias_axes=bias, activation="tanh")))
    sizes = [d or 7 for d in shape]
    exported.check(normal(2, *sizes))
    exported.check(normal(0, *sizes))
    assert "Einsum" not in exported.ops


def test_letters_that_input_kernel_and_output_share():
    assert product("abc,bcd->abd", 3) is None
    exported = export(model((5, 4), layers.EinsumDense("abc,bcd->abd", (5, 3))))
    exported.check(normal(2, 5, 4))


def test_dots_for_several_axes():
    exported = export(model((5, 6, 4), layers.EinsumDense("...x,xy->...y", 3, bias_axes="y")))
    exported.check(normal(2, 5, 6, 4))


def test_turned_output_is_lazy():
    stack = [layers.EinsumDense("abc,cd->adb", (3, 5)), layers.EinsumDense("adb,de->abe", (5, 6))]
    exported = export(model((5, 4), *stack))
    exported.check(normal(2, 5, 4))
    assert "Transpose" not in exported.ops


def test_image_that_lies_channels_first():
    stack = [layers.Conv2D(4, 3), layers.EinsumDense("abcd,de->abce", (None, None, 3)), layers.GlobalMaxPooling2D()]
    exported = export(model((7, 7, 2), *stack))
    exported.check(normal(2, 7, 7, 2))
    assert exported.ops["Transpose"] == 1


def test_double_precision():
    layer = layers.EinsumDense("abc,cde->abde", (None, 2, 3), dtype="float64")
    export(keras.Sequential([keras.Input((5, 4), dtype="float64"), layer])).check(normal(2, 5, 4).astype("float64"))
