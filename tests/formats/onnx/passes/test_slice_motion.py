"""Slices taken early in ONNX: what is computed in part, what must stay whole, and that the numbers are Keras's."""

from __future__ import annotations

import keras
import numpy as np
import onnx_ir as ir
import pytest
from keras import layers, ops

import exporter
from exporter.capture.inference import Inference
from exporter.formats.onnx.build import build
from exporter.spec import Options
from tests.conformance.cases.case import inside
from tests.formats.onnx.lowerings.exported import export, normal
from tests.formats.onnx.lowerings.exported import model_of as functional
from tests.formats.slice_motion import CALLS, LENGTH, MATRIX, SLICES, STAYS, WIDTH, block, dense, model_of, rowwise

IN_PLACE = {"a reduction of an axis before"}  # a maximum takes several nodes, which look for NaN


def rows(model):
    """Return what each product computes of a batch of one: the shapes, by running shape inference over the file."""
    from onnx import shape_inference

    proto = ir.to_proto(build(Inference(model), Options(batch=1), {}))
    inferred = shape_inference.infer_shapes(proto, strict_mode=True)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in inferred.graph.value_info}
    products = [node.output[0] for node in inferred.graph.node if node.op_type in ("MatMul", "Conv")]
    return sorted(int(np.prod(shapes[name])) for name in products if name in shapes)


@pytest.mark.parametrize("name", SLICES)
@pytest.mark.parametrize("length", [LENGTH, None], ids=["fixed", "dynamic"])
def test_a_transformer_of_which_a_part_is_read(name, length):
    exported = export(model_of(lambda x: dense(4)(block(block(x))[SLICES[name]]), (length, WIDTH)))
    exported.check(normal(2, LENGTH, WIDTH))
    exported.check(100 * normal(1, LENGTH, WIDTH, seed=3))


def test_any_batch_and_length():
    exported = export(model_of(lambda x: dense(4)(block(x)[:, -1]), (None, WIDTH)))
    for shape in ((3, LENGTH, WIDTH), (1, 1, WIDTH), (0, LENGTH, WIDTH)):
        exported.check(normal(*shape))


def test_only_keys_and_values_of_the_last_attention_are_whole():
    whole, part = LENGTH * WIDTH, WIDTH
    scores = 2 * LENGTH
    assert rows(model_of(lambda x: block(x)[:, 0])) == sorted([whole, whole, part, scores, part, part, 9, part])


def test_two_projections_as_convolutions_are_passed():
    def call(x):
        y = layers.Dense(32, activation="gelu", bias_initializer="normal")(x)
        return layers.Dense(16, bias_initializer="normal")(y)[:, 2]

    model = model_of(call, (LENGTH, 16))
    assert rows(model) == [16, 32]
    made = export(model)
    made.check(normal(2, LENGTH, 16))
    assert made.ops["Conv"] == 2


def test_a_causal_mask_is_cut_too():
    def call(x):
        attended = layers.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True)
        return layers.Dense(3)(x + attended)[:, 4]

    model = model_of(call)
    assert rows(model)[0] == 3
    export(model).check(normal(2, LENGTH, WIDTH))


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_other_rows_do_not_matter(bad):
    exported = export(model_of(lambda x: rowwise(x)[:, 2]))
    for row in (1, 2):
        x = normal(1, LENGTH, WIDTH)
        x[0, row, 3] = bad
        exported.check(x)


@pytest.mark.parametrize("name", CALLS)
def test_passed(name):
    model = model_of(inside(CALLS[name]))
    x = normal(1, LENGTH, WIDTH)
    export(model).check(x)
    assert (max(rows(model)) >= LENGTH * WIDTH) == (name in IN_PLACE)


@pytest.mark.parametrize("name", STAYS)
def test_stays(name):
    export(model_of(inside(STAYS[name]))).check(normal(1, LENGTH, WIDTH))


def test_slices_that_spare_nothing_stay_as_they_are():
    made = export(model_of(lambda x: (x[:, 1] + 1, dense()(x)[:, 0])))
    made.check(normal(2, LENGTH, WIDTH))
    assert made.ops["Gather"] == 1


def test_a_step_of_one_that_is_repeated_over_an_unknown_length():
    """Of x @ w + y, with y of length 1 or as long as x, the ends are the ends of both."""

    def call(x, y):
        return (dense()(x) + y)[:, -1]

    exported = export(functional(call, ((None, None, WIDTH), "float32"), ((None, None, WIDTH), "float32")))
    exported.check(normal(2, LENGTH, WIDTH), normal(2, 1, WIDTH, seed=1))
    exported.check(normal(2, LENGTH, WIDTH), normal(2, LENGTH, WIDTH, seed=1))


def test_what_a_loop_reads_stays_whole():
    def call(x):
        y = x @ MATRIX
        total = ops.fori_loop(0, ops.shape(x)[0] + 1, lambda i, s: s + ops.sum(y), ops.zeros(()))
        return y[:, 0] + total

    export(model_of(inside(call))).check(normal(2, LENGTH, WIDTH))


def test_the_layer_map_holds_whole_tensors_only():
    from exporter.formats.onnx.layer_map import KEY

    model = model_of(lambda x: layers.Dense(3, name="head")(layers.Dense(WIDTH, name="rows")(x)[:, 0]))
    built = build(Inference(model), Options(), {})
    assert '"head"' in built.metadata_props[KEY]
    assert '"rows"' not in built.metadata_props[KEY]


def test_the_first_layer_that_differs_is_still_found(tmp_path):
    x = keras.Input((LENGTH, WIDTH), name="x")
    y = layers.LayerNormalization(name="norm")(layers.Dense(WIDTH, name="first")(x))
    y = layers.Dense(WIDTH, name="second", activation="tanh")(ops.cumsum(y, axis=1))
    model = keras.Model(x, layers.Dense(2, name="head")(y[:, 0]))
    export_to = tmp_path / "out"
    exporter.export(model, export_to, formats=["onnx"])
    kernel = model.get_layer("first").kernel
    kernel.assign(kernel * 1.5)
    found = exporter.locate(model, export_to / "model.onnx")
    assert found.first is not None
    assert found.first.name == "first"
