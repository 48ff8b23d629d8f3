"""The options of fused ops that the converter chooses: held against what the layer says, in the file itself."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert import schema_py_generated as schema
from keras import layers

from exporter import formats
from exporter.capture.inference import Inference
from exporter.spec import Options

NONE, RELU, RELU6, TANH = 0, 1, 3, 4
SAME, VALID = 0, 1


def options_of(layer, shape, tmp_path, name="tflite") -> dict[str, object]:
    """Return the options of the only op with the options that a test names, by their names in the schema."""
    from exporter.formats.micro import _model_of

    path = tmp_path / formats.get(name).filename
    x = keras.Input(shape)
    formats.get(name).write(Inference(keras.Model(x, layer(x))), path, Options(), {})
    if name == "tflite":
        return _options(path.read_bytes())
    with _model_of(path) as model:
        return _options(model.read_bytes())


def _options(content: bytes) -> dict[str, object]:
    model = schema.ModelT.InitFromPackedBuf(content, 0)
    tables = [op.builtinOptions for graph in model.subgraphs for op in graph.operators if op.builtinOptions]
    return {type(table).__name__.removesuffix("OptionsT"): vars(table) for table in tables}


FUSED = [
    (
        "UnidirectionalSequenceLSTM",
        layers.LSTM(3, return_sequences=True),
        (5, 2),
        {
            "fusedActivationFunction": TANH,
            "cellClip": 0.0,
            "projClip": 0.0,
            "timeMajor": False,
            "asymmetricQuantizeInputs": False,
            "diagonalRecurrentTensors": False,
        },
    ),
    (
        "FullyConnected",
        layers.Dense(3, activation="relu"),
        (4,),
        {"fusedActivationFunction": RELU, "weightsFormat": 0, "asymmetricQuantizeInputs": False},
    ),
    (
        "Conv2D",
        layers.Conv2D(3, 3, strides=2, padding="same", activation="relu6"),
        (8, 8, 2),
        {
            "fusedActivationFunction": RELU6,
            "padding": SAME,
            "strideW": 2,
            "strideH": 2,
            "dilationWFactor": 1,
            "dilationHFactor": 1,
        },
    ),
    (
        "DepthwiseConv2D",
        layers.DepthwiseConv2D(3, dilation_rate=2),
        (9, 9, 2),
        {"fusedActivationFunction": NONE, "padding": VALID, "dilationWFactor": 2, "dilationHFactor": 2, "strideW": 1},
    ),
    (
        "TransposeConv",
        layers.Conv2DTranspose(3, 3, strides=2, padding="same"),
        (4, 4, 2),
        {"fusedActivationFunction": NONE, "padding": SAME, "strideW": 2, "strideH": 2},
    ),
    (
        "Pool2D",
        layers.AveragePooling2D(3, strides=2),
        (8, 8, 2),
        {"fusedActivationFunction": NONE, "padding": VALID, "filterWidth": 3, "strideW": 2},
    ),
    ("Gelu", layers.Activation(lambda x: keras.ops.gelu(x, approximate=False)), (4,), {"approximate": False}),
    ("Softmax", layers.Softmax(), (4,), {"beta": 1.0}),
    ("LeakyRelu", layers.LeakyReLU(0.25), (4,), {"alpha": 0.25}),
    ("BatchMatMul", lambda x: keras.ops.matmul(x, x), (4, 4), {"adjX": False, "adjY": False}),
    ("ResizeBilinear", layers.Resizing(7, 7), (4, 4, 2), {"alignCorners": False, "halfPixelCenters": True}),
    ("L2Norm", layers.Lambda(lambda x: tf.nn.l2_normalize(x, -1)), (4,), {"fusedActivationFunction": NONE}),
    (
        "LocalResponseNormalization",
        layers.Lambda(lambda x: tf.nn.local_response_normalization(x, 2, 1.5, 0.25, 0.75)),
        (4, 4, 8),
        {"radius": 2, "bias": 1.5, "alpha": 0.25, "beta": 0.75},
    ),
]


@pytest.mark.parametrize(("table", "layer", "shape", "expected"), FUSED, ids=[case[0] for case in FUSED])
def test_options_are_those_of_the_layer(tmp_path, table, layer, shape, expected):
    found = options_of(layer, shape, tmp_path)
    assert {key: found[table][key] for key in expected} == expected


def test_microcontrollers_have_no_bound_of_the_cell_either(tmp_path):
    found = options_of(layers.LSTM(3, return_sequences=True), (5, 2), tmp_path, "micro")["UnidirectionalSequenceLSTM"]
    assert (found["cellClip"], found["projClip"]) == (0.0, 0.0)


def test_l2_normalization_with_another_least_size_is_not_fused(tmp_path):
    """The op has no option for it."""
    layer = layers.Lambda(lambda x: tf.nn.l2_normalize(x, -1, epsilon=0.5))
    assert "L2Norm" not in options_of(layer, (4,), tmp_path)
    assert np.isclose(layer(np.full((1, 4), 0.1, "float32"))[0, 0], 0.1 / np.sqrt(0.5))
