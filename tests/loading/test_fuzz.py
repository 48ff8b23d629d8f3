"""Mutated model files: whatever is changed in them, the answer is a model or one of our own errors, and soon.

By default a few dozen files of each kind; `-m long` runs thousands, and a search guided by coverage.
"""

from __future__ import annotations

import copy
import io
import json
import random
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import keras
import pytest
from keras import layers, ops

import exporter.layers
from exporter.errors import LoadError
from exporter.loading import audit, limits, load
from exporter.loading.hdf5 import audit_hdf5
from tests.loading import forge

SECONDS = 60  # for one file, on a busy machine


def rich_model() -> keras.Model:
    """Layers, operations, sharing, nesting, a vocabulary, our own layers, and everything of `compile`."""
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, activation="gelu"), exporter.layers.Mish()])
    numbers, words = keras.Input((4,), name="numbers"), keras.Input((1,), dtype="string", name="words")
    x = inner(inner(numbers)) + 1.0
    ids = layers.StringLookup(vocabulary=["a", "b"])(words)
    y = layers.Flatten()(layers.Embedding(4, 4, embeddings_regularizer="l2")(ids))
    y = ops.concatenate([x[:, ::2], ops.where(y > 0, y, 0.0)], axis=-1)
    z = layers.Reshape((3, 2))(layers.Dense(6, dtype="mixed_float16")(y))
    z = layers.Bidirectional(layers.GRU(2))(layers.TimeDistributed(layers.BatchNormalization())(z))
    model = keras.Model({"numbers": numbers, "words": words}, {"z": z, "x": x})
    model.compile("adam", {"z": "mse", "x": keras.losses.Huber()}, metrics={"x": ["mae", keras.metrics.MeanIoU(2)]})
    return model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("fuzz") / "rich.keras"
    rich_model().save(path)
    return path


@pytest.fixture(scope="module")
def original_h5(tmp_path_factory):
    return forge.legacy(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path, monkeypatch):
    """A folder of their own, to see what is left behind."""
    (folder := tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))


def attempt(path: Path) -> str:
    """Load a file. Anything but a model or a LoadError fails the test; returns which it was."""
    start = time.monotonic()
    try:
        assert isinstance(load(path), keras.Model)
        answer, message = "model", ""
    except LoadError as error:
        answer, message = type(error).__name__, str(error)
    assert all(line.isprintable() for line in message.splitlines())
    assert time.monotonic() - start < SECONDS
    assert not list(Path(tempfile.gettempdir()).iterdir())
    return answer


INTERESTING = (b"\x00" * 8, b"\xff" * 8, b"\x7f" + b"\xff" * 7, b"PK\x03\x04", b"GCOL", b"../", b"{" * 40)


def mutated(raw: bytes, rng: random.Random, upto: int | None = None) -> bytes:
    """Change, insert, remove or repeat bytes in one to sixteen places."""
    data = bytearray(raw)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(min(len(data), upto or len(data)))
        kind = rng.randrange(6)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.choice((0, 1, 127, 128, 255))
        elif kind == 2:
            data[at : at + 8] = rng.choice((*INTERESTING, rng.randrange(len(data)).to_bytes(8, "little")))
        elif kind == 3:
            del data[at : at + rng.randrange(1, 64)]
        elif kind == 4:
            data[at:at] = data[at : at + rng.randrange(1, 64)]
        else:
            del data[at : len(data) if rng.random() < 0.2 else at + 1]
        if not data:
            return b""
    return bytes(data)


def fuzz_archive(original, folder, count):
    raw = original.read_bytes()
    outcomes = []
    for seed in range(count):
        (path := folder / f"{seed}.keras").write_bytes(mutated(raw, random.Random(seed)))
        outcomes.append(attempt(path))
        path.unlink()
    assert outcomes.count("model") < count


def test_bytes_of_an_archive(original, tmp_path):
    fuzz_archive(original, tmp_path, 100)


@pytest.mark.long
def test_bytes_of_an_archive_at_length(original, tmp_path):
    fuzz_archive(original, tmp_path, 5000)


VALUES = (
    *(None, True, False, 0, 1, -1, 2**31, 10**9, -(10**30), 0.5, 1e308, float("nan"), float("inf"), "", "x", "../x"),
    *(
        "relu",
        "exporter>Mish",
        "Lambda",
        "function",
        "keras.layers",
        "os",
        "float16",
        "int8",
        "string",
        "mixed_float16",
    ),
    *([], [None], [1, 2, 3], [None, 10**9], {}, {"class_name": "Dense"}, {"class_name": "Dense", "config": {}}),
    *({"class_name": "__numpy__", "config": {"value": [[1.0]], "dtype": "float32"}}, [[[[]]]], {"name": "a"}),
)


def spots(node, found):
    """Every (container, key) of a document."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in list(items):
        found.append((node, key))
        spots(child, found)
    return found


def rearranged(document, rng):
    """A document with one to four values replaced, removed, or exchanged for others of the same document."""
    document = copy.deepcopy(document)
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = spots(document, [])
        container, key = rng.choice(places)
        kind = rng.randrange(4)
        if kind == 0:
            container[key] = copy.deepcopy(rng.choice(VALUES))
        elif kind == 1:
            other, name = rng.choice(places)
            container[key] = copy.deepcopy(other[name])
        elif kind == 2 and isinstance(container[key], str):
            texts = [other[name] for other, name in places if name == key and isinstance(other[name], str)]
            container[key] = rng.choice(texts)
        elif kind == 2 and isinstance(container[key], int):
            container[key] = container[key] * rng.choice((-1, 2, 1000, 10**6)) + rng.choice((-1, 0, 1))
        else:
            del container[key]
    return document


def fuzz_config(original, folder, count, monkeypatch):
    """The weights stay as they are, so their audit is done once."""
    parts = forge.members(original)
    with tempfile.TemporaryFile() as weights:
        weights.write(parts[forge.WEIGHTS])
        weights.flush()
        known = audit_hdf5(weights, 0, len(parts[forge.WEIGHTS]), forge.WEIGHTS)
    monkeypatch.setattr(audit, "audit_hdf5", lambda *_: known)
    document = json.loads(parts[forge.CONFIG])
    outcomes = []
    for seed in range(count):
        config = json.dumps(rearranged(document, random.Random(seed))).encode()
        path = forge.write(folder / f"{seed}.keras", {**parts, forge.CONFIG: config})
        outcomes.append(attempt(path))
        path.unlink()
    assert {"model", "LoadError", "UnsafeFileError"} <= set(outcomes)


@pytest.mark.filterwarnings("ignore")  # Keras warns of what it finds odd in a config, as it should
def test_values_of_a_config(original, tmp_path, monkeypatch):
    fuzz_config(original, tmp_path, 40, monkeypatch)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_values_of_a_config_at_length(original, tmp_path, monkeypatch):
    fuzz_config(original, tmp_path, 5000, monkeypatch)


def fuzz_legacy(original_h5, folder, count):
    """Metadata lies in front; there a change hurts most."""
    raw = original_h5.read_bytes()
    for seed in range(count):
        (path := folder / f"{seed}.h5").write_bytes(mutated(raw, random.Random(seed), upto=8192))
        attempt(path)
        path.unlink()


@pytest.mark.filterwarnings("ignore")
def test_bytes_of_a_legacy_file(original_h5, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "HDF5_SECONDS", 2)
    fuzz_legacy(original_h5, tmp_path, 12)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_bytes_of_a_legacy_file_at_length(original_h5, tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "HDF5_SECONDS", 2)
    fuzz_legacy(original_h5, tmp_path, 2000)


class Coverage:
    """Which pairs of lines of exporter.loading were executed one after the other."""

    def __init__(self):
        self.seen, self.new, self._last = set(), False, 0

    def _trace(self, frame, event, argument):
        if "exporter/loading" not in frame.f_code.co_filename:
            return None
        step = (self._last, frame.f_lineno, frame.f_code.co_name)
        self._last = frame.f_lineno
        if step not in self.seen:
            self.seen.add(step)
            self.new = True
        return self._trace

    def run(self, path):
        self.new = False
        sys.settrace(self._trace)
        try:
            return attempt(path)
        finally:
            sys.settrace(None)


@pytest.mark.long
@pytest.mark.filterwarnings("ignore")
def test_search_guided_by_coverage(original, tmp_path):
    """For ten minutes: what reaches new lines of the audit is mutated further."""
    corpus = [original.read_bytes()]
    for method in (zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", method) as archive:
            for name, content in {**forge.members(original), "assets/a": b"x"}.items():
                archive.writestr(name, content)
        corpus.append(stream.getvalue())
    coverage, rng = Coverage(), random.Random(0)
    end, path = time.monotonic() + 600, tmp_path / "x.keras"
    while time.monotonic() < end:
        raw = mutated(rng.choice(corpus), rng)
        path.write_bytes(raw)
        coverage.run(path)
        if coverage.new and raw:
            corpus.append(raw)
    assert len(corpus) > 10
