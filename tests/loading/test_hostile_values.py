"""Values in a model file that cost or reach something by themselves: each is refused by name, soon and within little memory."""

from __future__ import annotations

import copy
import json
import re
import struct
import tempfile
import threading
import time
import tracemalloc
import zipfile

import keras
import numpy as np
import pytest
from keras import layers, ops

from exporter.errors import LoadError, UnsafeFileError
from exporter.loading import audit, limits, load, values
from exporter.loading.budget import _HOOKS, Budget, enforced
from exporter.loading.config import ConfigAudit
from exporter.loading.custom import KnownNames
from exporter.loading.hdf5 import audit_hdf5
from exporter.loading.legacy.version import is_keras2
from tests.loading import forge
from tests.loading.forge import layer
from tests.loading.test_places import of_keras

SECONDS, MEMORY = 20, 300 << 20  # for a refusal, on a busy machine
KNOWN = []


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    return forge.members(forge.honest(tmp_path_factory.mktemp("values")))


@pytest.fixture(autouse=True)
def _weights_are_audited_once(parts, monkeypatch):
    if not KNOWN:
        with tempfile.TemporaryFile() as weights:
            weights.write(parts[forge.WEIGHTS])
            weights.flush()
            KNOWN.append(audit_hdf5(weights, 0, len(parts[forge.WEIGHTS]), forge.WEIGHTS))
    monkeypatch.setattr(audit, "audit_hdf5", lambda *_: KNOWN[0])


def refused(path, error=UnsafeFileError):
    tracemalloc.start()
    start = time.monotonic()
    with pytest.raises(error) as caught:
        load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert time.monotonic() - start < SECONDS
    assert peak < MEMORY
    message = str(caught.value)
    message.encode()
    assert len(message) < 20_000
    return message


def edited(parts, folder, change):
    config = json.loads(parts[forge.CONFIG])
    change(config)
    return forge.write(folder / "e.keras", {**parts, forge.CONFIG: json.dumps(config).encode()})


def added(*things):
    return lambda config: config["config"]["layers"].extend(copy.deepcopy(things))


def compiled(**training):
    return lambda config: config.update(compile_config={"optimizer": "sgd", "loss": "mse", **training})


def renamed(name):
    def change(config):
        config["config"]["name"] = name

    return change


def constant_call(class_name, module="keras.layers", **config):
    """A layer that is called on a constant, so that it would compute while the model is built."""
    constant = {"class_name": "__tensor__", "config": {"value": [[[[1.0]]]], "dtype": "float32"}}
    node = {"args": [constant], "kwargs": {}}
    return {**layer(class_name, module, **config), "name": "added", "inbound_nodes": [node]}


def muon(*patterns):
    return compiled(optimizer=of_keras("keras.optimizers", "Muon", learning_rate=0.1, exclude_layers=list(patterns)))


def policies(pattern):
    policy = of_keras("keras", "DTypePolicy", name="float32")
    mapped = of_keras("keras.dtype_policies", "DTypePolicyMap", default_policy=policy, policy_map={pattern: policy})
    return added(layer("Dense", units=2, dtype=mapped))


HANGING = [
    "(a+)+$",
    "(a*)*b",
    "(a|a)*b",
    "(.*a){12}",
    "((a{1,9}){1,9}){1,9}",
    "(?:x+x+)+y",
    "(a)\\1*",
    ".*" * 9,
    "a*" * 200,
    "(",
]
HUGE = 10**12

# What a config asks for, and a word of the refusal.
CONFIGS = {
    **{f"muon {pattern[:20]}": (muon(pattern), "regular expression|pattern") for pattern in HANGING},
    **{f"policies {pattern[:20]}": (policies(pattern), "regular expression|pattern") for pattern in HANGING},
    "patterns without number": (muon(*["a"] * 2000), "regular expressions"),
    "long name at the root": (renamed("a" * (4 << 20)), "a name of 4194304 characters"),
    "long name of a layer": (added(layer("Dense", units=1) | {"name": "a" * 5000}), "a name of 5000 characters"),
    "lone surrogate in a name": (renamed("a\ud800b"), "surrogate"),
    "lone surrogate in a vocabulary": (added(layer("StringLookup", vocabulary=["a", "\udfff"])), "surrogate"),
    "lone surrogate in a key": (added(layer("Dense", units=1, **{"\udc00": 1})), "surrogate"),
    "lone surrogate in bytes": (
        added(layer("Lambda", arguments={"a": {"class_name": "__bytes__", "config": {"value": "\ud800"}}})),
        "surrogate",
    ),
    "resizing a constant": (added(constant_call("Resizing", height=10**5, width=10**5)), "constants alone"),
    "broadcasting a constant": (
        added(constant_call("BroadcastTo", "keras.src.ops.numpy", shape=[10**6, 10**6])),
        "constants alone",
    ),
    "repeating a constant": (added(constant_call("RepeatVector", n=10**10)), "constants alone"),
    "padding a constant": (added(constant_call("ZeroPadding2D", padding=10**6)), "constants alone"),
    "enlarging a constant": (added(constant_call("UpSampling2D", size=10**6)), "constants alone"),
    "a range": (added(constant_call("Arange", "keras.src.ops.numpy")), "constants alone"),
    "a call without arguments": (
        added({**layer("Dense", units=2), "inbound_nodes": [{"args": [], "kwargs": {}}]}),
        "constants alone",
    ),
    "thresholds of a metric": (compiled(metrics=[of_keras("keras.metrics", "AUC", num_thresholds=HUGE)]), "num_thresholds"),
    "n-grams": (added(layer("TextVectorization", ngrams=HUGE)), "ngrams"),
    "operations of an augmentation": (added(layer("RandAugment", num_ops=HUGE)), "num_ops"),
    "chains of an augmentation": (added(layer("AugMix", num_chains=HUGE)), "num_chains"),
    "depth of an augmentation": (added(layer("AugMix", chain_depth=HUGE)), "chain_depth"),
    "power iterations": (
        added(layer("SpectralNormalization", layer=of_keras("keras.layers", "Dense", units=1), power_iterations=HUGE)),
        "power_iterations",
    ),
    "indices of a lookup": (added(layer("StringLookup", vocabulary=["a"], num_oov_indices=HUGE)), "num_oov_indices"),
    "weights of a lookup": (
        added(layer("IntegerLookup", vocabulary=[1], idf_weights=[1.0], max_tokens=HUGE, output_mode="tf_idf")),
        "max_tokens",
    ),
    "units": (added(layer("Dense", units=HUGE)), "more than the weights"),
    "units of hundreds of digits": (added(layer("Dense", units=10**400)), "hundreds of digits|OverflowError"),
    "a mean for every feature": (
        added(
            layer("RepeatVector", n=10**11, name="repeated"),
            layer("Normalization", mean=0.0, variance=1.0, axis=1, name="normal") | {"build_config": None},
        ),
        r"layer normal of shape \(100000000000,\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.filterwarnings("ignore")
def test_config(name, parts, tmp_path):
    change, words = CONFIGS[name]
    message = refused(edited(parts, tmp_path, change), LoadError if "digits" in name else UnsafeFileError)
    assert re.search(words, message), message


DIGITS = b"9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        b'{"keras_version": "' + DIGITS + b'.0"}',
        b'{"keras_version": ' + DIGITS + b"}",
        b'{"n": ' + DIGITS + b', "keras_version": "3.0.0"}',
        b'{"keras_version": "2' + DIGITS + b'"}',
        b'{"keras_version": "\\ud800"}',
        b'{"keras_version": null}',
        b"[" * 100_000,
        b"\xff\xfe",
        b"null",
        '{"keras_version": "٣.0"}'.encode(),
    ],
)
def test_metadata(text, parts, tmp_path):
    """Keras may read it or not: no exception but ours comes out."""
    path = forge.write(tmp_path / "m.keras", {**parts, "metadata.json": text})
    try:
        assert isinstance(load(path), keras.Model)
    except LoadError as error:
        str(error).encode()


def test_versions_of_many_digits():
    assert not is_keras2("9" * 5000)
    assert not is_keras2("2" * 5000)
    assert is_keras2("2.15.0")


@pytest.mark.parametrize("key", ["value", "units"])
def test_integers_of_thousands_of_digits_in_a_config(key, parts, tmp_path):
    config = json.dumps(json.loads(parts[forge.CONFIG]) | {"x": {key: "N"}}).replace('"N"', DIGITS.decode())
    refused(forge.write(tmp_path / "i.keras", {**parts, forge.CONFIG: config.encode()}), LoadError)


def with_extra(path, parts, name, extra):
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in parts.items():
            archive.writestr(member, content)
        info = zipfile.ZipInfo(name)
        info.extra = extra
        archive.writestr(info, b"x")
    return path


def unicode_path(name, called):
    """The extra field by which Info-ZIP, and Python since 3.12, give a member another name."""
    data = struct.pack("<BL", 1, zipfile.crc32(name.encode())) + called.encode()
    return struct.pack("<HH", 0x7075, len(data)) + data


@pytest.mark.parametrize("called", ["../../executed", "config.json", "assets/b", "/etc/passwd", ""])
def test_a_second_name_in_an_extra_field(called, parts, tmp_path):
    path = with_extra(tmp_path / "x.keras", parts, "assets/a", unicode_path("assets/a", called))
    assert "second name" in refused(path)


def test_a_second_name_behind_other_fields(parts, tmp_path):
    extra = struct.pack("<HHL", 0x1234, 4, 7) + unicode_path("assets/a", "../x")
    assert "second name" in refused(with_extra(tmp_path / "x.keras", parts, "assets/a", extra))


def test_other_extra_fields_pass(parts, tmp_path):
    path = with_extra(tmp_path / "x.keras", parts, "assets/a", struct.pack("<HHL", 0x5455, 4, 7))
    assert isinstance(load(path), keras.Model)


def test_the_audit_costs_no_more_for_long_names():
    """A name of 4 MiB at the root, above 8,000 objects: no place is spelled out before somebody asks for it."""
    document = {"class_name": "Model", "config": {"name": "a" * (4 << 20), "layers": [layer("Dense")] * 8_000}}
    start = time.monotonic()
    (finding,) = ConfigAudit(KnownNames({})).findings(document)
    assert time.monotonic() - start < SECONDS
    assert len(finding.where) < 1000


def test_the_audit_costs_no_more_for_long_keys():
    document = {"a" * (4 << 20): {"b" * (1 << 20): [layer("Nowhere", "no.where")] * 8_000}}
    start = time.monotonic()
    findings = list(ConfigAudit(KnownNames({})).findings(document))
    assert time.monotonic() - start < SECONDS
    assert len(findings) == limits.FINDINGS
    assert all(len(finding.where) < 1000 for finding in findings)


@pytest.mark.parametrize(
    "pattern", ["embedding", "^dense_[0-9]+/kernel$", ".*head", "block_(1|2)/", "lm_head|embed", "a{1}"]
)
def test_patterns_of_honest_files(pattern, parts):
    assert values.steps_of(pattern, 300) < limits.PATTERN_STEPS
    config = json.loads(parts[forge.CONFIG])
    muon(pattern)(config)
    assert list(ConfigAudit(KnownNames({})).model_findings(config)) == []


def test_worst_patterns_that_pass_are_quick():
    """What the rule lets through is searched in the worst text of the length that it was let through for."""
    for pattern in ("a*b", "a*a*b", ".*x.*y", "a*c|a*b"):
        steps = values.steps_of(pattern, 300)
        if steps > limits.PATTERN_STEPS:
            continue
        start = time.monotonic()
        re.search(pattern, "a" * 300)
        assert time.monotonic() - start < SECONDS


def test_two_loads_in_two_threads(parts, tmp_path):
    """Each has a budget of its own, and afterwards Keras is as it was, whichever ends first."""
    before = [vars(hook._owner()).get(hook._name) for hook in _HOOKS]
    large = edited(parts, tmp_path, added(layer("Dense", units=10**9)))
    small = forge.write(tmp_path / "small.keras", parts)
    answers = {}

    def run(name, path, times):
        for _ in range(times):
            try:
                answers.setdefault(name, []).append(type(load(path)).__name__)
            except LoadError as error:
                answers.setdefault(name, []).append(type(error).__name__)

    threads = [
        threading.Thread(target=run, args=("large", large, 6)),
        threading.Thread(target=run, args=("small", small, 6)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"large": ["UnsafeFileError"] * 6, "small": ["Sequential"] * 6}
    assert [vars(hook._owner()).get(hook._name) for hook in _HOOKS] == before


def test_other_threads_are_not_charged():
    """While one thread loads with nothing left, another builds a model of its own."""
    entered, built = threading.Event(), threading.Event()

    def loading():
        with enforced(Budget("f", variables=0, operations=0, tensors=0, calls=0)):
            entered.set()
            built.wait(60)
            with pytest.raises(UnsafeFileError):
                layers.Dense(2)

    thread = threading.Thread(target=loading)
    thread.start()
    entered.wait(60)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(2)])
    built.set()
    thread.join()
    assert model(np.ones((1, 2), "f4")).shape == (1, 2)


def test_overlapping_loads_put_back_what_was_there():
    plain = [vars(hook._owner()).get(hook._name) for hook in _HOOKS]
    first, second = enforced(Budget("a")), enforced(Budget("b"))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert [vars(hook._owner()).get(hook._name) for hook in _HOOKS] != plain
    second.__exit__(None, None, None)
    assert [vars(hook._owner()).get(hook._name) for hook in _HOOKS] == plain


def test_honest_graphs_with_constants(tmp_path):
    """Constants beside a tensor are data, and a layer of a lookup may have any size that its file explains."""
    x = keras.Input((4,))
    y = ops.concatenate([x, ops.ones((1, 4)) * 2.0 + ops.zeros_like(x)], axis=-1)
    model = keras.Model(x, ops.where(y > 0, y, np.float32(1.0)))
    model.save(tmp_path / "m.keras")
    np.testing.assert_array_equal(load(tmp_path / "m.keras")(np.ones((2, 4), "f4")), model(np.ones((2, 4), "f4")))
