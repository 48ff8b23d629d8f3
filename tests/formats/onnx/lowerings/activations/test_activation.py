"""Every activation, of Keras and of this package: numbers, NaN and infinities, opsets, and the ops that it becomes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import activations, layers

import exporter.layers as own
from tests.formats.onnx.lowerings.exported import export, model_of, normal

ELEMENTWISE = [
    *["celu", "elu", "exponential", "gelu", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu"],
    *[
        "linear",
        "log_sigmoid",
        "mish",
        "relu",
        "relu6",
        "selu",
        "sigmoid",
        "silu",
        "soft_shrink",
        "softplus",
        "softsign",
    ],
    *["sparse_plus", "sparse_sigmoid", "squareplus", "tanh", "tanh_shrink"],
]
OWN = ["exporter>elish", "exporter>hard_sigmoid", "exporter>hard_swish", "exporter>mish", "exporter>swish"]
OWN_LAYERS = [
    own.ELiSH(),
    own.HardSigmoid(),
    own.HardSigmoid(slope=1 / 6),
    own.HardSwish(),
    own.HardSwish(slope=0.5, offset=0.25),
    own.Mish(),
    own.Swish(),
    own.Swish(beta=1.7),
    own.Swish(beta=-2.0),
    own.Swish(beta=0.0),
]
EXPECTED_OPS = {
    "relu": {"Relu"},
    "relu6": {"Clip"},
    "leaky_relu": {"LeakyRelu"},
    "hard_sigmoid": {"HardSigmoid"},
    "hard_silu": {"HardSwish"},
    "hard_tanh": {"Clip"},
    "gelu": {"Gelu"},
    "silu": {"Sigmoid", "Mul"},
    "elu": {"Elu"},
    "selu": {"Selu"},
    "exponential": {"Exp"},
    "mish": {"Exp", "Add", "Mul", "Div"},
    "exporter>mish": {"Clip", "Exp", "Add", "Mul", "Div"},
    "exporter>swish": {"Clip", "Sigmoid", "Mul"},
    "exporter>elish": {"Elu", "Sigmoid", "Mul"},
    "exporter>hard_sigmoid": {"HardSigmoid"},
    "exporter>hard_swish": {"Clip", "HardSigmoid", "Mul"},
}
# Where an activation bends, overflows or vanishes; a row each, so that one large number does not set the scale for all.
LADDER = np.float32([0, -0.0, 1e-3, 0.5, 1, 2.5, 3, 6, 17, 20, 50])
RANGE = np.concatenate([LADDER, -LADDER])[:, None]
LARGE = np.float32([[88], [-88], [104], [-104], [1e10], [-1e10], [1e30], [-1e30], [3e38], [-3e38]])
NOT_FINITE = np.float32([[np.nan], [np.inf], [-np.inf]])


def check_everywhere(exported):
    for rows in (normal(3, 1) * 4, RANGE, NOT_FINITE, np.zeros((0, 1), np.float32)):
        exported.check(rows)
    for row in LARGE:
        exported.check(row[None])


def activated(name, dtype="float32"):
    return keras.Sequential([keras.Input((1,), dtype=dtype), layers.Activation(name, dtype=dtype)])


@pytest.mark.parametrize("name", [*ELEMENTWISE, *OWN])
def test_values_specials_and_ops(name):
    exported = export(activated(name))
    check_everywhere(exported)
    if name in EXPECTED_OPS:
        assert set(exported.ops) == EXPECTED_OPS[name]


@pytest.mark.parametrize("name", [*ELEMENTWISE, *OWN])
def test_float64(name):
    export(activated(name, "float64")).check(normal(4, 1).astype("float64") * 3)


@pytest.mark.parametrize("name", ["gelu", "hard_silu", "mish", "celu", "exporter>hard_swish"])
def test_the_oldest_opset_takes_a_composed_form(name):
    exported = export(activated(name), opset=13)
    exported.check(normal(4, 1) * 3)
    assert exported.inspection.facts["opset"] <= 14


@pytest.mark.parametrize("layer", OWN_LAYERS, ids=lambda layer: f"{layer.name}")
def test_layers_of_this_package(layer):
    fresh = type(layer).from_config(layer.get_config())
    check_everywhere(export(keras.Sequential([keras.Input((1,)), fresh])))


@pytest.mark.parametrize("layer", [own.Mish(), own.Swish(), own.ELiSH(), own.HardSwish()], ids=lambda layer: layer.name)
def test_integers_become_floats(layer):
    fresh = type(layer).from_config(layer.get_config())
    export(keras.Sequential([keras.Input((4,), dtype="int32"), fresh])).check(np.array([[-3, 0, 1, 7]], np.int32))


@pytest.mark.parametrize("name", ["gelu", "mish", "exporter>mish", "exporter>elish", "leaky_relu", "linear"])
@pytest.mark.parametrize(
    "make",
    [lambda a: layers.Dense(3, activation=a), lambda a: layers.Conv1D(3, 2, activation=a)],
    ids=["Dense", "Conv1D"],
)
def test_an_activation_by_name_in_a_layer_is_the_same_one(make, name):
    x = normal(2, 5, 4)
    exported = export(keras.Sequential([keras.Input((5, 4)), make(name)]))
    exported.check(x)
    assert EXPECTED_OPS.get(name, set()) <= set(exported.ops)


def test_a_function_that_only_has_the_name_of_one_is_traced():
    def relu(x):
        return x * 2

    export(keras.Sequential([keras.Input((3,)), layers.Dense(2, activation=relu)])).check(normal(2, 3))


def test_mish_called_as_a_function_has_no_softplus():
    class Own(layers.Layer):
        def call(self, inputs):
            return activations.mish(inputs) + 1

    exported = export(keras.Sequential([keras.Input((4,)), Own()]))
    exported.check(normal(3, 4))
    assert set(exported.ops) == EXPECTED_OPS["mish"]


@pytest.mark.parametrize(
    ("arguments", "ops"),
    [
        ({}, ["Relu"]),
        ({"max_value": 6.0}, ["Clip"]),
        ({"max_value": 2.5}, ["Clip"]),
        ({"negative_slope": 0.1}, ["LeakyRelu"]),
        ({"negative_slope": 0.1, "max_value": 2.5}, ["LeakyRelu", "Min"]),
        ({"threshold": 0.5}, None),
        ({"threshold": 0.5, "max_value": 2.5}, None),
        ({"threshold": 0.5, "max_value": 2.5, "negative_slope": 0.2}, None),
    ],
    ids=str,
)
def test_relu_layer(arguments, ops):
    exported = export(keras.Sequential([keras.Input((1,)), layers.ReLU(**arguments)]))
    check_everywhere(exported)
    assert ops is None or sorted(exported.ops) == ops


@pytest.mark.parametrize("shared", [None, [1], [1, 2]], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_prelu(shared, dtype):
    layer = layers.PReLU("random_normal", shared_axes=shared, dtype=dtype)
    exported = export(keras.Sequential([keras.Input((3, 4, 2), dtype=dtype), layer]))
    x = normal(2, 3, 4, 2).astype(dtype)
    exported.check(x)
    x[0, 0, 0], x[1, 2, 3] = np.nan, -np.inf
    exported.check(x)
    assert "Transpose" not in exported.ops


@pytest.mark.parametrize("layer", [layers.LeakyReLU(), layers.ELU(0.5), layers.ELU()], ids=lambda layer: layer.name)
def test_other_layers(layer):
    check_everywhere(export(keras.Sequential([keras.Input((1,)), type(layer).from_config(layer.get_config())])))


SOFTMAX_ROWS = np.float32(
    [[1, 2, 3, 4], [1e30, 1, 0, -1e30], [-1e38] * 4, [-np.inf, 1, 2, 3], [-np.inf] * 4]
)  # of rows with NaN or Inf, TensorFlow's float32 kernel makes zeros beside one NaN, its float64 kernel and ORT all NaN


@pytest.mark.parametrize("function", [activations.softmax, activations.log_softmax], ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_softmax_over_an_axis(function, axis):
    x = normal(2, 3, 4, 5)
    exported = export(model_of(lambda t: function(t, axis=axis), ((None, 3, 4, 5), "float32")))
    exported.check(x)
    exported.check(x * 1e30)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax_of_rows_that_are_not_finite(name):
    exported = export(keras.Sequential([keras.Input((4,)), layers.Activation(name)]))
    for row in SOFTMAX_ROWS:
        exported.check(row[None])


@pytest.mark.parametrize("axis", [-1, 1, (1, 2), [2]], ids=str)
def test_softmax_layer(axis):
    export(keras.Sequential([keras.Input((3, 4)), layers.Softmax(axis=axis)])).check(normal(2, 3, 4))


@pytest.mark.parametrize("axis", [-1, (1, 2)], ids=str)
def test_softmax_layer_with_a_mask(axis):
    layer = layers.Softmax(axis=axis)
    exported = export(model_of(lambda x, mask: layer(x, mask=mask), ((None, 3, 4), "float32"), ((None, 3, 4), "bool")))
    mask = np.random.default_rng(1).integers(0, 2, (2, 3, 4)).astype(bool)
    mask[0, 0] = False
    exported.check(normal(2, 3, 4), mask)
    exported.check(normal(2, 3, 4), np.zeros_like(mask))


@pytest.mark.parametrize("function", [activations.sparsemax, activations.glu], ids=lambda f: f.__name__)
def test_along_the_last_axis(function):
    layer = layers.Activation(function)
    export(keras.Sequential([keras.Input((3, 6)), layer])).check(normal(2, 3, 6) * 2)


def test_after_a_convolution_no_activation_costs_a_transpose():
    names = [
        "relu",
        "gelu",
        "mish",
        "exporter>mish",
        "exporter>swish",
        "exporter>hard_swish",
        "softplus",
        "hard_shrink",
    ]
    steps = [layer for name in names for layer in (layers.Conv2D(3, 1), layers.Activation(name))]
    exported = export(keras.Sequential([keras.Input((5, 6, 3)), *steps]))
    exported.check(normal(2, 5, 6, 3))
    assert exported.ops["Transpose"] == 2
