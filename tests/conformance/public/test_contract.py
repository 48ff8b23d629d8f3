"""What Keras expects of every layer: shapes, dtypes, masks, batches of any size, attributes, eager and symbolic calls."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from tests.conformance.public.cases import FUNCTIONS, LAYERS, build, layer_cases
from tests.conformance.public.compare import EPSILON, ULPS
from tests.conformance.public.kinds import Case, Elementwise
from tests.conformance.public.models import model_of

LAYER_CASES = [pytest.param(cls, case, id=name) for name, cls, case in layer_cases()]
FLOAT_CASES = [pytest.param(cls, case, id=name) for name, cls, case in layer_cases() if case.dtype == "float32"]
ELEMENTWISE_CLASSES = [cls for cls, cases in LAYERS.items() if isinstance(cases[0], Elementwise)]
BATCHES = (0, 1, 2, 3, 7, 17)


class MaskToOutput(keras.Layer):
    """Makes the mask of its input visible."""

    def __init__(self) -> None:
        super().__init__()
        self.supports_masking = True

    def call(self, inputs: Any, mask: Any = None) -> Any:
        assert mask is not None, "the mask is lost"
        return ops.cast(mask, "float32") + 0.0 * ops.sum(ops.cast(inputs, "float32"))


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_declared_shapes_and_dtypes_are_the_real_ones(cls: type, case: Case, policy: str) -> None:
    x = case.sample()
    layer = build(cls, case, x, dtype=policy)
    outputs = keras.tree.flatten(layer(x))
    shapes = layer.compute_output_shape(x.shape)
    shapes = list(shapes) if isinstance(shapes[0], tuple) else [shapes]
    specs = keras.tree.flatten(layer.compute_output_spec(keras.KerasTensor(x.shape, dtype=x.dtype.name)))
    symbolic = keras.tree.flatten(layer(keras.Input(batch_shape=x.shape, dtype=x.dtype.name)))
    for output, shape, spec, tensor in zip(outputs, shapes, specs, symbolic, strict=True):
        assert tuple(output.shape) == tuple(shape) == tuple(spec.shape) == tuple(tensor.shape)
        if x.dtype == np.uint8 or policy == "float32":
            # compute_output_spec is given the tensor before Keras casts it to the policy, so only these are comparable
            assert keras.utils.standardize_dtype(output.dtype) == spec.dtype
        assert keras.utils.standardize_dtype(output.dtype) == tensor.dtype


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_eager_and_symbolic_calls_agree(cls: type, case: Case) -> None:
    x = case.sample()
    model = model_of(cls, case)
    predicted = keras.tree.flatten(model.predict(x, verbose=0))
    for eager, compiled in zip(_arrays(model.layers[-1](x)), predicted, strict=True):
        _assert_close(compiled, eager)


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_any_batch_and_every_sample_by_itself(cls: type, case: Case) -> None:
    x = case.sample()
    model = model_of(cls, case)
    whole = _arrays(model(x))
    for batch in BATCHES:
        for part, output in zip(_arrays(model(x[:batch])), whole, strict=True):
            assert part.shape == (batch, *output.shape[1:])
            _assert_close(part, output[:batch])


@pytest.mark.parametrize("cls", ELEMENTWISE_CLASSES)
def test_elementwise_layers_take_unknown_dimensions(cls: type) -> None:
    inputs = keras.Input((None, None))
    model = keras.Model(inputs, cls(**LAYERS[cls][0].arguments)(inputs))
    assert model.output.shape == (None, None, None)
    assert model(np.ones((2, 0, 3), "float32")).shape == (2, 0, 3)
    assert model(np.ones((1, 4, 2), "float32")).shape == (1, 4, 2)


@pytest.mark.parametrize(("cls", "case"), FLOAT_CASES)
def test_masks_pass_through(cls: type, case: Case) -> None:
    x = case.sample()
    x[:, 2] = 0.0
    inputs = keras.Input(x.shape[1:])
    outputs = keras.tree.flatten(cls(**case.arguments)(keras.layers.Masking(0.0)(inputs)))
    model = keras.Model(inputs, [MaskToOutput()(output) for output in outputs])
    expected = np.tile([1, 1, 0, 1, 1], (len(x), 1))
    for mask in _arrays(model(x)):
        np.testing.assert_array_equal(mask, expected)


@pytest.mark.parametrize(("cls", "case"), LAYER_CASES)
def test_standard_attributes(cls: type, case: Case) -> None:
    x = case.sample()
    inputs = keras.Input(x.shape[1:], dtype=x.dtype.name)
    layer = cls(**case.arguments, name="some_name")
    outputs = layer(inputs)
    assert layer.built
    assert layer.name == "some_name"
    assert layer.dtype == layer.compute_dtype == "float32"
    assert layer.input is inputs
    assert keras.tree.flatten(layer.output) == keras.tree.flatten(outputs)
    assert layer.weights == layer.trainable_weights
    assert layer.non_trainable_weights == []
    assert layer.count_params() == sum(weight.numpy().size for weight in layer.weights)
    assert all(weight.path == f"some_name/{weight.name}" for weight in layer.weights)
    layer.trainable = False
    assert layer.trainable_weights == []
    assert layer.non_trainable_weights == layer.weights


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_functions_take_lists_integers_and_symbolic_tensors(function: Any) -> None:
    from_integers = function([[-3, 0, 2]])
    assert keras.utils.standardize_dtype(from_integers.dtype) == keras.config.floatx()
    _assert_close(
        ops.convert_to_numpy(from_integers), ops.convert_to_numpy(function(np.array([[-3.0, 0, 2]], "float32")))
    )
    inputs = keras.Input((3,))
    model = keras.Model(inputs, function(inputs))
    x = np.array([[-3.0, 0.1, 2.0]], "float32")
    _assert_close(ops.convert_to_numpy(model(x)), ops.convert_to_numpy(function(x)))


def _arrays(outputs: Any) -> list[np.ndarray]:
    return [ops.convert_to_numpy(output) for output in keras.tree.flatten(outputs)]


def _assert_close(actual: np.ndarray, expected: np.ndarray) -> None:
    """Equal up to rounding: a compiled graph or another batch size may sum in another order."""
    scale = np.abs(expected).max(initial=0)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=ULPS * EPSILON["float32"] * scale)
