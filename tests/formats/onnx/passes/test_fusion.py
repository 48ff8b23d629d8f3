"""What fusing leaves as it was: values that others need, names, the layer map, the bodies of loops."""

from __future__ import annotations

import json

import keras
import numpy as np
from keras import layers, ops

from exporter.capture.inference import Inference
from exporter.formats.onnx.build import build
from exporter.spec import Options
from tests.formats.onnx.fusions.spelled import SPECIAL, X, check, exported
from tests.formats.onnx.lowerings.exported import export, normal


class Swish(layers.Layer):
    """A layer of somebody's own."""

    def call(self, x):
        return x / (1 + ops.exp(-x))


def test_a_step_that_is_an_output_is_kept():
    def both(x):
        quotient = 1 + ops.exp(-x)
        return [x / quotient, quotient]

    made = exported(both)
    made.check(X)
    assert made.ops["Exp"] == 1
    assert made.ops["Div"] == 1


def test_a_step_that_another_layer_takes_is_kept():
    def both(x):
        quotient = 1 + ops.exp(-x)
        return x / quotient + ops.sqrt(quotient)

    assert check(both)["Div"] == 1


def test_one_function_after_another():
    def twice(x):
        y = ops.where(x > 0, x, ops.exp(x) - 1)
        return y / (1 + ops.exp(-y))

    assert check(twice) == {"Elu": 1, "Sigmoid": 1, "Mul": 1}


def test_the_layer_stays_in_the_map_under_its_output():
    x = keras.Input((4,), name="x")
    steps = [layers.ReLU(6.0, name="six"), layers.Rescaling(1 / 6, name="sixth"), Swish(name="swish")]
    y = x + 3.0
    for step in steps:
        y = step(y)
    model = build(Inference(keras.Model(x, layers.Dense(2, name="last")(y))), Options(), {})
    held = {v.name for node in model.graph for v in node.outputs} | {v.name for v in model.graph.inputs}
    mapped = json.loads(model.metadata_props["keras_layers"])
    assert {"sixth", "swish", "last"} <= set(mapped)
    assert "six" not in mapped  # the clipped line is inside of HardSigmoid
    for entry in mapped.values():
        assert {name for name, _ in entry["outputs"]} <= held


def test_in_a_layout_of_its_own():
    image = keras.Input((5, 5, 3), name="x")
    y = layers.Conv2D(4, 3)(Swish()(layers.Conv2D(8, 1)(image)))
    made = export(keras.Model(image, y))
    made.check(normal(2, 5, 5, 3))
    assert "Div" not in made.ops
    assert made.ops["Transpose"] <= 2


def test_inside_a_loop():
    def repeated(x):
        return ops.fori_loop(0, ops.cast(ops.sum(x * 0), "int32") + 3, lambda i, y: y / (1 + ops.exp(-y)) + 1, x)

    made = exported(layers.Lambda(repeated, output_shape=(4,)))
    made.check(np.float32([[1, -2, 3, 0.5]]))
    assert "Div" not in made.ops


def test_names_of_inputs_and_outputs_stay():
    x = keras.Input((4,), name="x")
    made = export(keras.Model({"x": x}, {"gated": Swish(name="gate")(x)}))
    made.check(X)
    made.check(SPECIAL)
    assert [o.name for o in made.inspection.outputs] == ["gated"]
