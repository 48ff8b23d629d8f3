"""The allow-list refuses no honest model: whatever Keras builds and reloads, loads here too, bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

from exporter.loading import load
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import known_names
from tests.conformance.cases import all_cases

CASES = {case.name: case for case in all_cases()}

# Full round trips by default: every kind of structure once. `test_every_case` walks the configs of all.
ROUND_TRIPS = (
    "applications.MobileNetV3Small",
    "structures.dict_in_dict_out",
    "structures.nested_models",
    "structures.policy[mixed_float16]",
    "structures.shared_layer",
    "structures.strings",
    "structures.transformer",
)


def assert_same(model, again, samples):
    """Weights of the same shapes, and the same outputs, bit for bit."""
    assert sorted(tuple(weight.shape) for weight in model.weights) == sorted(tuple(w.shape) for w in again.weights)
    expected, got = model(samples, training=False), again(samples, training=False)
    for one, two in zip(keras.tree.flatten(expected), keras.tree.flatten(got), strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(two))


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_round_trip(name, tmp_path):
    case = CASES[name]
    model = case.build()
    model.save(tmp_path / "m.keras")
    samples = case.samples([tensor.name for tensor in model.inputs], batch=case.batch or 2)
    tensors = [keras.ops.convert_to_tensor(value) for value in samples.values()]
    structure = keras.tree.pack_sequence_as(model.input, tensors)
    assert_same(model, load(tmp_path / "m.keras"), structure)


def serializable(case):
    """The config of a case, None where Keras itself cannot store it."""
    try:
        return json.loads(json.dumps(keras.saving.serialize_keras_object(case.build())))
    except (NotImplementedError, TypeError, ValueError):
        return None


def refused_cases(names):
    judge = ConfigAudit(known_names({})).model_findings
    documents = {name: serializable(CASES[name]) for name in names}
    assert sum(document is not None for document in documents.values()) > 0.8 * len(documents)
    found = {name: list(judge(document)) for name, document in documents.items() if document is not None}
    return {name: [str(finding) for finding in findings] for name, findings in found.items() if findings}


def honest(name):
    """Whether a case is data: those that wrap a Python function of the test are not."""
    return not name.startswith("layers.Lambda")


def test_cases_of_every_category():
    """One in fifty, without the big ones, so that the default run stays quick."""
    assert refused_cases([name for name in sorted(filter(honest, CASES)) if "applications" not in name][::50]) == {}


@pytest.mark.long
def test_every_case():
    assert refused_cases(filter(honest, CASES)) == {}


def trained_model():
    model = keras.Sequential(
        [
            keras.Input((6,)),
            layers.Dense(
                4,
                activation="gelu",
                kernel_initializer=keras.initializers.Orthogonal(),
                kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-4),
                bias_constraint=keras.constraints.MaxNorm(1.0),
            ),
            layers.BatchNormalization(),
            layers.Dropout(0.2, seed=3),
            layers.Dense(3, activation="softmax"),
        ]
    )
    schedule = keras.optimizers.schedules.CosineDecay(1e-2, 10)
    model.compile(
        keras.optimizers.AdamW(schedule, weight_decay=1e-3),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["accuracy", keras.metrics.AUC(), keras.metrics.mean_squared_error],
    )
    model.fit(np.random.default_rng(0).random((8, 6), "f4"), np.eye(3, dtype="f4")[np.arange(8) % 3], verbose=0)
    return model


def test_trained_model_keeps_its_optimizer(tmp_path):
    model = trained_model()
    model.save(tmp_path / "trained.keras")
    again = load(tmp_path / "trained.keras")
    assert_same(model, again, np.ones((2, 6), "f4"))
    for one, two in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())


def test_trained_model_in_a_legacy_file(tmp_path):
    """Keras 3 loses the optimizer state of a Sequential model in `.h5`; the rest comes back."""
    model = trained_model()
    model.save(tmp_path / "trained.h5")
    again = load(tmp_path / "trained.h5")
    assert_same(model, again, np.ones((2, 6), "f4"))
    assert type(again.optimizer) is type(model.optimizer)


def test_vocabularies_in_the_config_and_in_assets(tmp_path):
    (tmp_path / "vocabulary.txt").write_text("a\nb\nc\n")
    lookup = layers.StringLookup(vocabulary=str(tmp_path / "vocabulary.txt"))
    split = layers.TextVectorization(output_sequence_length=3)
    split.adapt(["a b c", "b d"])
    words = keras.Input((1,), dtype="string")
    model = keras.Model(words, [lookup(words), split(words)])
    model.save(tmp_path / "text.keras")
    (tmp_path / "vocabulary.txt").unlink()
    samples = keras.ops.convert_to_tensor([["a"], ["d"]], dtype="string")
    assert_same(model, load(tmp_path / "text.keras"), samples)


@pytest.mark.parametrize("mode", ["int8", "int4", "float8"])
def test_quantized_by_keras(tmp_path, mode):
    model = keras.Sequential([keras.Input((8,)), layers.Dense(6), layers.Dense(2)])
    model.layers[0].quantize(mode)
    model.save(tmp_path / "q.keras")
    assert_same(model, load(tmp_path / "q.keras"), np.ones((2, 8), "f4"))


def test_functions_of_keras_ops_with_constants_and_slices(tmp_path):
    from keras import ops

    x = keras.Input((6, 4))
    y = ops.concatenate([x[:, ::2, None, ...], ops.cast(x[:, 1::2, None] > 0.5, "float32")], axis=2)
    y = ops.einsum("btuc,cd->btud", y, np.ones((4, 2), "f4")) + np.float32(0.5)
    model = keras.Model(x, {"max": ops.max(y, axis=(1, 2)), "sum": [ops.sum(ops.where(y > 1, y, 0.0), axis=-1)]})
    model.save(tmp_path / "ops.keras")
    assert_same(model, load(tmp_path / "ops.keras"), np.random.default_rng(0).random((2, 6, 4), "f4"))


SAVE_HUB = """
import keras_hub, sys
backbone = keras_hub.models.BertBackbone(
    vocabulary_size=7, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=8, max_sequence_length=6)
tokenizer = keras_hub.models.BertTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"])
preprocessor = keras_hub.models.BertTextClassifierPreprocessor(tokenizer, sequence_length=6)
keras_hub.models.BertTextClassifier(backbone=backbone, preprocessor=preprocessor, num_classes=2).save(sys.argv[1])
"""
LOAD_HUB = """
import sys, exporter
model = exporter.load(sys.argv[1])
assert type(model).__name__ == "BertTextClassifier", model
assert model.preprocessor.tokenizer.get_vocabulary()[-2:] == ["a", "b"]
"""


@pytest.mark.long
def test_keras_hub_in_a_fresh_process(tmp_path):
    """Classes of Keras Hub are registered for a file that names them; the vocabulary comes from the assets."""
    pytest.importorskip("keras_hub", reason="comes with the extra `hub`")
    for code in (SAVE_HUB, LOAD_HUB):
        done = subprocess.run(
            [sys.executable, "-c", code, str(tmp_path / "hub.keras")], stderr=subprocess.PIPE, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
