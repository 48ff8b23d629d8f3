"""Expression: traced once, stored as data, reloaded in safe mode in any process."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import exporter
from exporter.errors import LoadError
from exporter.layers import Expression

X = np.random.default_rng(1).standard_normal((5, 4)).astype("float32")
MEAN = np.array([0.5, -1.0, 2.0, 0.0])


def model_of_expressions() -> keras.Model:
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    both = Expression(lambda a, b: {"near": ops.abs(a - b), "dot": ops.sum(a * b, -1)})([first, second])
    scaled = Expression(lambda x, mean, power: (mean - x) ** power, arguments={"mean": MEAN, "power": 2}, name="scaled")
    normal = Expression(lambda x: x / (ops.max(ops.abs(x), -1, keepdims=True) + 1e-6))
    outputs = {"y": keras.layers.Dense(3)(normal(scaled(normal(both["near"])))), "dot": both["dot"]}
    return keras.Model([first, second], outputs)


def test_a_saved_model_loads_in_safe_mode_and_computes_the_same_bits(tmp_path: Path) -> None:
    model = model_of_expressions()
    model.save(tmp_path / "m.keras")
    np.save(tmp_path / "x.npy", X)
    code = (
        "import keras, numpy, sys, exporter.layers; m = keras.models.load_model('m.keras', safe_mode=True);"
        "x = numpy.load('x.npy'); numpy.savez('y.npz', **{k: v.numpy() for k, v in m([x, x[::-1]]).items()})"
    )
    root = str(Path(exporter.__file__).parents[1])
    subprocess.run([sys.executable, "-W", "ignore", "-c", f"import sys; sys.path.append({root!r}); {code}"],
                   cwd=tmp_path, check=True, timeout=120)  # fmt: skip
    expected = model([X, X[::-1]])
    audited = exporter.load(tmp_path / "m.keras")([X, X[::-1]])
    with np.load(tmp_path / "y.npz") as reloaded:
        for name, value in expected.items():
            np.testing.assert_array_equal(reloaded[name], value.numpy())
            np.testing.assert_array_equal(audited[name].numpy(), value.numpy())


def test_the_config_holds_names_of_operations_and_no_code(tmp_path: Path) -> None:
    layer = model_of_expressions().get_layer("scaled")
    text = json.dumps(layer.get_config(), allow_nan=False)
    assert '"op": "power"' in text
    assert "lambda" not in text
    assert layer.constants.keys() == {"mean"}
    np.testing.assert_array_equal(layer.constants["mean"], MEAN)


def test_one_layer_serves_several_models_shapes_and_structures() -> None:
    layer = Expression(lambda x: ops.relu(x) - 1)
    for shape in ((4,), (7,), (3, 2)):
        keras.Model(inputs := keras.Input(shape), layer(inputs))
    assert layer.get_config()["fn"]["specs"] == [{"shape": None, "dtype": None}]
    pair = Expression(lambda tensors: tensors[0] - tensors[1])
    np.testing.assert_array_equal(pair((X, 2 * X)).numpy(), -X)
    np.testing.assert_array_equal(pair([X, 2 * X]).numpy(), -X)


def test_a_size_used_in_python_is_held_against_the_inputs() -> None:
    layer = Expression(lambda x: x / x.shape[-1])
    layer(X)
    with pytest.raises(ValueError, match="another graph"):
        layer(np.ones((2, 3), "float32"))
    again = Expression.from_config(layer.get_config())
    np.testing.assert_array_equal(again(X).numpy(), X / np.float32(4))
    with pytest.raises(ValueError, match=r"holds for inputs of float\[\?, 4\]"):
        again(np.ones((2, 3), "float32"))
    with pytest.raises(ValueError, match="not for"):
        again([X, X])


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda x: x if ops.sum(x) > 0 else -x, r"keras\.ops\.where"),
        (lambda x: x + keras.random.uniform((4,)), "SeedGenerator"),
        (lambda x: ops.matmul(x, np.ones((4, 3_000), "float32")), "add_weight"),
    ],
)
def test_what_cannot_be_stored_is_refused_at_the_first_call(function, reason) -> None:
    with pytest.raises(ValueError, match=reason):
        Expression(function)(X)


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match="must be a function, not 3"):
        Expression(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no graph yet"):
        Expression(ops.abs).get_config()
    graph = model_of_expressions().get_layer("scaled").get_config()["fn"]
    with pytest.raises(ValueError, match="`arguments` with a function only"):
        Expression(graph, arguments={"power": 3})
    graph["nodes"][0]["op"] = "os.system"
    with pytest.raises((TypeError, ValueError), match="may call"):
        Expression.from_config({"fn": graph})


def test_masks_pass_where_every_element_is_computed_by_itself() -> None:
    masked = keras.layers.Masking()(keras.Input((3, 2)))
    kept = Expression(lambda x: ops.tanh(x) * 2)(masked)
    assert kept._keras_mask is not None
    with pytest.warns(UserWarning, match="does not support mask"):
        reversed_ = Expression(lambda x: x[:, ::-1])(masked)
    assert getattr(reversed_, "_keras_mask", None) is None


def test_it_trains_inside_a_subclassed_model() -> None:
    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.scale = Expression(lambda x: ops.tanh(x) * 2)
            self.dense = keras.layers.Dense(1)

        def call(self, inputs):
            return self.dense(self.scale(inputs))

    keras.utils.set_random_seed(1)
    model = Model()
    model.compile("adam", "mse", jit_compile=False)
    losses = model.fit(X, X[:, :1], epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.scale.get_config()["fn"]["nodes"][0]["op"] == "tanh"


def test_a_file_that_names_something_else_than_an_operation_is_refused(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((4,)), Expression(ops.tanh)]).save(tmp_path / "good.keras")
    with zipfile.ZipFile(tmp_path / "good.keras") as good, zipfile.ZipFile(tmp_path / "bad.keras", "w") as bad:
        for name in good.namelist():
            bad.writestr(name, good.read(name).replace(b'"op": "tanh"', b'"op": "os.system"'))
    exporter.load(tmp_path / "good.keras")
    with pytest.raises(LoadError, match=r"'os\.system' is not among the keras\.ops functions"):
        exporter.load(tmp_path / "bad.keras")
