"""Files as Keras 2.1 to 2.15 wrote them, spelled out: older than what tf-keras writes today."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest

from exporter.errors import LoadError, UnsafeFileError
from exporter.loading import load, load_with_notes

ZEROS = {"class_name": "Zeros", "config": {}}
UNIFORM = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}


def layer(class_name: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": class_name, "config": {"name": name, "trainable": True, **config}}


def dense(name: str, units: int, activation: str = "linear", **config: Any) -> dict[str, Any]:
    rest = {"kernel_initializer": UNIFORM, "bias_initializer": ZEROS, "kernel_regularizer": None}
    return layer("Dense", name, units=units, activation=activation, use_bias=True, **rest, **config)


def write(
    folder: Path, model: Any, weights: dict[str, dict[str, Any]], version: str = "2.1.6", **attributes: Any
) -> Path:
    path = folder / "old.h5"
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version.encode()
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(model).encode()
        for name, value in attributes.items():
            file.attrs[name] = json.dumps(value).encode()
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = np.array([name.encode() for name in weights])
        for name, arrays in weights.items():
            group.create_group(name).attrs["weight_names"] = np.array([key.encode() for key in arrays])
            for key, array in arrays.items():
                group[name][key] = np.asarray(array, "float32")
    return path


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def test_a_sequential_model_whose_config_is_a_list(tmp_path):
    config = [dense("dense_1", 3, "hard_sigmoid", batch_input_shape=[None, 4], dtype="float32"), dense("dense_2", 2)]
    kernel, last = random(4, 3), random(3, 2)
    arrays = {
        "dense_1": {"dense_1/kernel:0": kernel, "dense_1/bias:0": np.ones(3)},
        "dense_2": {"dense_2/kernel:0": last, "dense_2/bias:0": np.zeros(2)},
    }
    model = load(write(tmp_path, {"class_name": "Sequential", "config": config}, arrays))
    x = random(5, 4)
    np.testing.assert_allclose(model(x), np.clip(0.2 * (x @ kernel + 1) + 0.5, 0, 1) @ last, rtol=1e-5, atol=1e-6)


def test_a_functional_model_called_model_with_its_nested_model_counted_from_one(tmp_path):
    inner = {
        "name": "inner",
        "layers": [
            {**layer("InputLayer", "i", batch_input_shape=[None, 4], dtype="float32", sparse=False), "name": "i"}
            | {"inbound_nodes": []},
            {**dense("d", 4), "name": "d", "inbound_nodes": [[["i", 0, 0, {}]]]},
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["d", 0, 0]],
    }
    outer = {
        "name": "outer",
        "layers": [
            {**layer("InputLayer", "x", batch_input_shape=[None, 4], dtype="float32", sparse=False), "name": "x"}
            | {"inbound_nodes": []},
            {
                "class_name": "Model",
                "config": inner,
                "name": "inner",
                "inbound_nodes": [[["x", 0, 0, {}]], [["inner", 1, 0, {}]]],
            },
            {**layer("LeakyReLU", "leaky", alpha={"type": "ndarray", "value": 0.25}), "name": "leaky"}
            | {"inbound_nodes": [[["inner", 2, 0, {}]]]},
        ],
        "input_layers": [["x", 0, 0]],
        "output_layers": [["leaky", 0, 0]],
    }
    kernel = random(4, 4)
    arrays = {"inner": {"d_1/kernel:0": kernel, "d_1/bias:0": np.zeros(4)}}
    model = load(write(tmp_path, {"class_name": "Model", "config": outer}, arrays, version="2.2.4"))
    x = random(5, 4)
    y = x @ kernel @ kernel
    np.testing.assert_allclose(model(x), np.where(y > 0, y, 0.25 * y), rtol=1e-5, atol=1e-5)


def test_gru_before_reset_after_existed(tmp_path):
    """Keras 2.1: the reset gate is applied before the matrix product, and there is one bias."""
    config = [
        layer(
            "GRU",
            "gru_1",
            units=2,
            activation="tanh",
            recurrent_activation="hard_sigmoid",
            use_bias=True,
            implementation=1,
        )
        | {}
    ]
    config[0]["config"] |= {"batch_input_shape": [None, 3, 4], "return_sequences": False, "unroll": False}
    arrays = {
        "gru_1": {"gru_1/kernel:0": random(4, 6), "gru_1/recurrent_kernel:0": random(2, 6), "gru_1/bias:0": random(6)}
    }
    path = write(tmp_path, {"class_name": "Sequential", "config": config}, arrays)
    found = load_with_notes(path)
    assert found.model.layers[0].reset_after is False
    assert any("slope 0.2" in note.reason for note in found.notes)
    x, h = random(1, 3, 4), np.zeros((1, 2), "float32")
    kernel, recurrent, bias = arrays["gru_1"].values()
    for step in range(3):
        a = x[:, step] @ kernel + bias
        gates = np.clip(0.2 * (a[:, :4] + h @ recurrent[:, :4]) + 0.5, 0, 1)
        z, r = gates[:, :2], gates[:, 2:]
        h = z * h + (1 - z) * np.tanh(a[:, 4:] + (r * h) @ recurrent[:, 4:])
    np.testing.assert_allclose(found.model(x), h, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("version", ["2.1.6", "2.2.4-tf", "2.3.1", "2.4.0", "2.15.0", "2.16.0"])
def test_keys_without_meaning_are_dropped(tmp_path, version):
    convolution = layer(
        "Conv2DTranspose", "up", filters=2, kernel_size=[2, 2], strides=[1, 1], padding="valid", groups=1,
        data_format="channels_last", dilation_rate=[1, 1], activation="linear", use_bias=False,
        kernel_initializer={"class_name": "GlorotUniformV2", "config": {"seed": None, "dtype": "float32"}},
        batch_input_shape=[None, 4, 4, 1], dtype={"class_name": "Policy", "config": {"name": "float32"}},
    )  # fmt: skip
    arrays = {"up": {"up/kernel:0": random(2, 2, 2, 1)}}
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [convolution]}}
    assert load(write(tmp_path, model, arrays, version)).layers[0].filters == 2


def test_keys_with_meaning_are_refused_by_name(tmp_path):
    convolution = layer(
        "Conv2DTranspose", "up", filters=2, kernel_size=[2, 2], groups=2, batch_input_shape=[None, 4, 4, 2]
    )
    model = {"class_name": "Sequential", "config": {"name": "m", "layers": [convolution]}}
    with pytest.raises(LoadError, match="groups=2 has no counterpart"):
        load(write(tmp_path, model, {}))


def test_old_optimizers_and_losses(tmp_path):
    training = {
        "optimizer_config": {
            "class_name": "SGD",
            "config": {"lr": 0.5, "decay": 0.25, "momentum": 0.0, "nesterov": False},
        },
        "loss": "cosine_proximity",
        "metrics": ["acc"],
        "sample_weight_mode": None,
        "loss_weights": None,
    }
    arrays = {"d": {"d/kernel:0": random(4, 2), "d/bias:0": random(2)}}
    model = {"class_name": "Sequential", "config": [dense("d", 2, batch_input_shape=[None, 4])]}
    found = load_with_notes(write(tmp_path, model, arrays, training_config=training))
    assert found.model.loss == "cosine_similarity"
    rate = found.model.optimizer._learning_rate
    assert float(rate(0)) == 0.5
    np.testing.assert_allclose(float(rate(4)), 0.5 / (1 + 0.25 * 4))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda arrays: arrays["d"].pop("d/bias:0"), "the file has 1 weights, Keras 3's layer has 2"),
        (lambda arrays: arrays.pop("d"), "the file has no array for this weight"),
        (lambda arrays: arrays.update(e={"e/kernel:0": random(2)}), "the model has no such layer"),
        (lambda arrays: arrays["d"].update({"d/bias:0": random(3)}), "shape"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, change, words):
    arrays = {"d": {"d/kernel:0": random(4, 2), "d/bias:0": random(2)}}
    change(arrays)
    model = {"class_name": "Sequential", "config": [dense("d", 2, batch_input_shape=[None, 4])]}
    with pytest.raises(LoadError, match=words):
        load(write(tmp_path, model, arrays))


BYTECODE = ["4wEAAAAAAAAA", None, None]


@pytest.mark.parametrize(
    ("hostile", "words"),
    [
        (layer("Lambda", "l", function=BYTECODE, function_type="lambda", module="os"), "CVE-2025-9905"),
        (
            layer("TimeDistributed", "t", layer=layer("Lambda", "l", function=BYTECODE, function_type="lambda")),
            "CVE-2025-9905",
        ),
        (
            layer("Dense", "d", units=2, activation={"class_name": "__lambda__", "config": {"code": "x"}}),
            "CVE-2025-9905",
        ),
        (
            {"module": "os", "class_name": "system", "config": {"command": "x"}, "registered_name": "system"},
            "CVE-2025-1550",
        ),
        (
            layer("Dense", "d", units=2, activation={"module": "builtins", "class_name": "function", "config": "eval"}),
            "unknown function 'eval'|CVE-2025-1550",
        ),
        (layer("TFSMLayer", "t", filepath="/tmp/x"), "CVE-2026-1462"),
        (layer("StringLookup", "s", vocabulary="/etc/passwd"), "CVE-2025-12058"),
        (layer("Dense", "../../d", units=2), "CVE-2026-12479"),
        (layer("TFOpLambda", "o", function="io.write_file"), "io.write_file"),
        (layer("ClassMethod", "c", cls_ref="os", method_name="system"), "ClassMethod"),
    ],
)
def test_hostile_files_of_keras_2_are_refused_by_name(tmp_path, hostile, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    first = {**layer("InputLayer", "x", batch_input_shape=[None, 4]), "name": "x", "inbound_nodes": []}
    last = {**hostile, "name": "last", "inbound_nodes": [[["x", 0, 0, {}]]]}
    config = {"name": "m", "layers": [first, last], "input_layers": [["x", 0, 0]], "output_layers": [["last", 0, 0]]}
    path = write(tmp_path, {"class_name": "Model", "config": config}, {}, version="2.9.0")
    with pytest.raises(LoadError, match=words) as caught:
        load(path)
    assert isinstance(caught.value, UnsafeFileError) or "CVE" not in words
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["old.h5"]


def test_an_old_lambda_loads_with_trust(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 3)])
    function = keras.saving.serialize_keras_object(model.layers[0])["config"]["function"]["config"]
    code = [function["code"], function["defaults"], function["closure"]]
    config = [layer("Lambda", "l", function=code, function_type="lambda", module="m", batch_input_shape=[None, 4])]
    path = write(tmp_path, {"class_name": "Sequential", "config": config}, {})
    x = random(2, 4)
    np.testing.assert_array_equal(load(path, trust=True)(x), x * 3)


@pytest.mark.parametrize(
    "nodes", [[[["gone", 0, 0, {}]]], [[["last", 0, 0, {}]]], [[["x", 0, 7, {}]]], [["x"]], [[[1, 2]]]]
)
def test_a_broken_graph_is_refused(tmp_path, nodes):
    first = {**layer("InputLayer", "x", batch_input_shape=[None, 4]), "name": "x", "inbound_nodes": []}
    last = {**layer("Activation", "last", activation="relu"), "name": "last", "inbound_nodes": nodes}
    config = {"name": "m", "layers": [first, last], "input_layers": [["x", 0, 0]], "output_layers": [["last", 0, 0]]}
    with pytest.raises(LoadError):
        load(write(tmp_path, {"class_name": "Model", "config": config}, {}))
