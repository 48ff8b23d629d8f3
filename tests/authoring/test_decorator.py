"""`@exporter.layer`: a function becomes a Layer class that always serializes."""

from __future__ import annotations

import inspect
import json
from typing import Any, Literal

import keras
import numpy as np
import pytest
from keras import ops

import exporter

X = np.random.default_rng(1).standard_normal((3, 4)).astype("float32")


@exporter.layer
def scaled(x, factor: float = 2.0, shifts: list[float] | None = None, mode: Literal["up", "down"] = "up"):
    """Multiplies by a factor."""
    y = x * factor if mode == "up" else x / factor
    return y if shifts is None else y + ops.convert_to_tensor(shifts, dtype=x.dtype)


def weights(layer, shape, units):
    return {"w": layer.add_weight(shape=(shape[-1], units), name="w"), "b": layer.add_weight(shape=(units,), name="b")}


@exporter.layer(build=weights, name="Affine", package="tests-of-layer")
def affine(x, units: int, *, w, b):
    return ops.matmul(x, w) + b


@exporter.layer
def nearest(a, b, axis: int = -1, training=False):
    return ops.argmax(a * b, axis=axis) * (2 if training else 1)


def test_a_model_of_such_layers_reloads_and_trains(tmp_path) -> None:
    inputs = keras.Input((4,))
    outputs = affine(3)(scaled(factor=0.5, shifts=[1, 2, 3, 4], mode="down")(inputs))
    model = keras.Model(inputs, outputs)
    model.compile("sgd", "mse", jit_compile=False)
    model.fit(X, np.ones((3, 3)), verbose=0)
    model.save(tmp_path / "m.keras")
    reloaded = exporter.load(tmp_path / "m.keras")
    np.testing.assert_array_equal(reloaded(X), model(X))
    assert [w.path for w in reloaded.weights] == [w.path for w in model.weights]
    assert len(reloaded.trainable_weights) == 2


def test_the_config_holds_every_argument() -> None:
    layer = scaled(0.5, shifts=(1, 2, 3, 4), name="mine", dtype="float64")
    config = json.loads(json.dumps(layer.get_config()))
    assert config.items() >= {"factor": 0.5, "shifts": [1.0, 2.0, 3.0, 4.0], "mode": "up", "name": "mine"}.items()
    assert scaled.from_config(config).get_config() == layer.get_config()
    assert keras.saving.get_registered_name(affine) == "tests-of-layer>Affine"
    assert keras.saving.get_registered_name(scaled) == "tests>scaled"
    assert inspect.signature(scaled).parameters.keys() == {"factor", "shifts", "mode", "kwargs"}
    assert scaled.__doc__ == "Multiplies by a factor."


def test_shapes_and_dtypes_are_inferred() -> None:
    assert affine(3).compute_output_shape((None, 4)) == (None, 3)
    a, b = keras.Input((5, 4)), keras.Input((5, 4))
    near = nearest()([a, b])
    assert (near.shape, near.dtype) == ((None, 5), "int32")
    assert nearest(axis=1)([a, b]).shape == (None, 4)
    layer = nearest()
    np.testing.assert_array_equal(layer([X, X], training=True), 2 * layer([X, X]).numpy())
    with pytest.raises(ValueError, match="takes 2 tensors in a list, not 3"):
        layer([X, X, X])


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"factor": "2"}, "must be a number"),
        ({"factor": float("nan")}, "finite"),
        ({"mode": "left"}, "one of 'up', 'down'"),
        ({"shifts": 3}, "must be a list"),
        ({"shifts": [None]}, "must be a number"),
        ({"sideways": 3}, "sideways"),
    ],
)
def test_wrong_values(arguments, reason) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        scaled(**arguments)


def untyped_default(x, factor=2.0): ...
def typed_array(x, *, table: np.ndarray): ...
def no_tensor(factor: float): ...
def starred(*tensors): ...
def reserved(x, dtype: str): ...
def weights_without_build(x, *, w): ...


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (untyped_default, "has no type"),
        (typed_array, "annotated as ndarray"),
        (no_tensor, "needs a tensor"),
        (starred, "name each one"),
        (reserved, "something else"),
        (weights_without_build, "go together"),
    ],
)
def test_functions_that_cannot_be_layers(function, reason) -> None:
    with pytest.raises(TypeError, match=reason):
        exporter.layer(function)


def test_names_are_taken_once() -> None:
    def other(x): ...

    with pytest.raises(ValueError, match="registered already"):
        exporter.layer(other, name="Affine", package="tests-of-layer")
    wrong: Any = exporter.layer(build=lambda layer, shape: {}, name="wrong")(weights_without_build)
    with pytest.raises(ValueError, match="returned the weights"):
        wrong()(X)


@exporter.layer(keeps_mask=True)
def doubled(x):
    return 2 * x


@exporter.layer
def masked_sum(x, mask=None):
    return ops.sum(x if mask is None else ops.where(mask[..., None], x, 0), axis=1)


def test_masks_are_handed_on_and_used(tmp_path) -> None:
    inputs = keras.Input((3,), dtype="int32")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True, embeddings_initializer="ones")(inputs)
    model = keras.Model(inputs, masked_sum()(doubled()(embedded)))
    tokens = np.array([[1, 2, 0], [3, 0, 0]], "int32")
    np.testing.assert_array_equal(model(tokens), [[4.0] * 4, [2.0] * 4])
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(exporter.load(tmp_path / "m.keras")(tokens), model(tokens))
    np.testing.assert_array_equal(masked_sum()(np.ones((1, 2, 1))), [[2.0]])


def test_a_layer_named_as_an_activation(tmp_path, monkeypatch) -> None:
    """Its name stands in the wiring of the graph, and `--custom` must not put it in the place of the activation."""
    (tmp_path / "named_as_keras_does.py").write_text(
        "import exporter\n\n@exporter.layer\ndef linear(x, slope: float = 3.0):\n    return x * slope\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    import named_as_keras_does

    from exporter.loading import import_custom

    inputs = keras.Input((4,))
    model = keras.Model(inputs, keras.layers.Dense(2, activation="linear")(named_as_keras_does.linear()(inputs)))
    model.save("m.keras")
    reloaded = exporter.load("m.keras", custom_objects=import_custom(["named_as_keras_does"]))
    np.testing.assert_array_equal(reloaded(X), model(X))


def test_wrong_definitions_and_calls() -> None:
    with pytest.raises(ValueError, match="use def"):
        exporter.layer(lambda x: x)

    def wrong_default(x, factor: float = "two"):  # type: ignore[assignment]
        return x * factor

    with pytest.raises(TypeError, match=r"wrong_default: `factor` must be a number, not 'two'"):
        exporter.layer(wrong_default)

    def sized(x, size: tuple[int, int] = (1, 2)):
        return ops.reshape(x, (-1, *size))

    made = exporter.layer(sized)
    assert made((2, 2)).get_config()["size"] == [2, 2]
    with pytest.raises(ValueError, match="must have 2 entries, not 3"):
        made((1, 2, 3))
    with pytest.raises(TypeError, match=r"affine: .*'units'"):
        affine()
    with pytest.raises(ValueError, match="takes 2 tensors in a list, not 1"):
        nearest()(np.ones((2, 4)))
