"""`exporter.load` from outside: what loads, and what a user is told otherwise."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import exporter
from exporter.errors import LoadError, UnsafeFileError, UsageError
from exporter.loading import limits, load
from tests.loading import forge
from tests.loading.forge import layer


def fails(path, error=LoadError, **arguments):
    with pytest.raises(error) as caught:
        load(path, **arguments)
    return str(caught.value)


def test_public_name():
    assert exporter.load is load


@pytest.mark.parametrize("kind", [str, os.fspath, lambda path: path])
def test_paths(tmp_path, kind):
    assert load(kind(forge.honest(tmp_path))).name == "tiny"


def test_legacy_file(tmp_path):
    assert load(forge.legacy(tmp_path)).name == "tiny"


@pytest.mark.parametrize("name", ["model", "model.zip", "model.h5"])
def test_the_content_decides_not_the_name(tmp_path, name):
    path = forge.honest(tmp_path).rename(tmp_path / name)
    assert load(path).name == "tiny"
    assert sorted(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["add", "maximum"])
def test_a_call_of_keras_ops_in_a_legacy_file_is_told_from_the_layer_of_that_name(tmp_path, name):
    """Keras writes such files, and cannot read them."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    by_layer = keras.Model([a, b], getattr(keras.layers, name.capitalize())()([a, b]))
    by_call = keras.Model([a, b], getattr(keras.ops, name)(a, b))
    for model, path in ((by_layer, tmp_path / "layer.h5"), (by_call, tmp_path / "call.h5")):
        model.save(path)
    assert load(tmp_path / "layer.h5").count_params() == 0
    message = fails(tmp_path / "call.h5")
    assert f"keras.ops call '{name.capitalize()}'" in message
    assert "save the model as .keras" in message


def test_legacy_file_called_keras(tmp_path):
    assert load(forge.legacy(tmp_path).rename(tmp_path / "model.keras")).name == "tiny"


def test_unpacked_archive(tmp_path):
    (folder := tmp_path / "folder").mkdir()
    for name, content in forge.members(forge.honest(tmp_path)).items():
        (folder / name).write_bytes(content)
    assert load(folder).name == "tiny"


def test_weights_compressed(tmp_path):
    import zipfile

    path = forge.write(tmp_path / "z.keras", forge.members(forge.honest(tmp_path)), zipfile.ZIP_DEFLATED)
    assert load(path).name == "tiny"


def test_missing_file(tmp_path):
    assert "no such file" in fails(tmp_path / "nowhere.keras")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x04K\x01.", b"\x1c\x00\x00\x00TFL3", bytes(100)])
def test_not_a_model(tmp_path, content):
    (path := tmp_path / "model.keras").write_bytes(content)
    assert "not a Keras model" in fails(path)


def test_pickle_is_not_opened(tmp_path):
    (path := tmp_path / "model.pkl").write_bytes(b"\x80\x04K\x01.")
    assert "pickle" in fails(path)


def test_onnx_file_is_called_by_its_name(tmp_path):
    (path := tmp_path / "model.onnx").write_bytes(b"\x08\x07\x12\x04test")
    assert "ONNX" in fails(path)


def test_folder_without_a_model(tmp_path):
    assert "holds no model" in fails(tmp_path)


def test_device():
    assert "device" in fails("/dev/zero")


def test_name_that_no_file_can_have():
    assert "no such file" in fails("a\0b")


def test_name_too_long():
    assert "too long" in fails("a" * 5000)


def test_address_on_a_network():
    assert "download" in fails("hf://user/model", UsageError)


def test_no_permission(tmp_path, monkeypatch):
    """Refused by the test itself: a user who may read everything, as in a container, is refused nothing."""
    path = forge.honest(tmp_path)
    error = PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    monkeypatch.setattr(Path, "open", lambda *_, **__: raises(error))
    assert "Permission denied" in fails(path)


def raises(error):
    raise error


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_truncated_archive(tmp_path, share):
    path = forge.honest(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    message = fails(path)
    assert "cut short" in message
    assert str(path) in message


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_legacy_file(tmp_path, share):
    path = forge.legacy(tmp_path)
    raw = path.read_bytes()
    path.write_bytes(raw[: int(len(raw) * share)])
    assert "cut short" in fails(path)


def test_damaged_weights(tmp_path):
    path = forge.honest(tmp_path)
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"\x89HDF") + 2000] ^= 255
    path.write_bytes(raw)
    assert "CRC" in fails(path)


def test_weights_only(tmp_path):
    path = tmp_path / "model.weights.h5"
    forge.dense_model().save_weights(path)
    assert "weights only" in fails(path)


def test_config_that_is_no_model(tmp_path):
    path = forge.edited(tmp_path, lambda config: config.clear())
    assert "no serialized model" in fails(path)


def test_a_layer_is_no_model(tmp_path):
    def change(config):
        dense = config["config"]["layers"][1]
        config.clear()
        config.update(dense)

    fails(forge.edited(tmp_path, change))


def test_weights_of_another_shape(tmp_path):
    def change(config):
        config["config"]["layers"][1]["config"]["units"] = 3

    message = fails(forge.edited(tmp_path, change))
    assert "Keras cannot build the model" in message
    assert "Traceback" not in message


def test_unknown_layer_names_itself_and_the_remedy(tmp_path):
    path = forge.with_layer(tmp_path, layer("Fancy", "my.layers") | {"registered_name": "my>Fancy"})
    message = fails(path)
    assert "unknown class 'Fancy', registered as 'my>Fancy', from the module my.layers" in message
    assert "--custom my.layers" in message
    assert "custom_objects={'my>Fancy': Fancy}" in message


def test_all_unknown_layers_at_once(tmp_path):
    def change(config):
        config["config"]["layers"] += [layer("One", "a.b"), layer("Two", "c.d")]

    message = fails(forge.edited(tmp_path, change))
    assert "'One'" in message
    assert "'Two'" in message


class Doubled(keras.layers.Layer):
    """A layer of the user, not registered."""

    def call(self, x):
        return 2 * x


def test_custom_objects(tmp_path):
    model = keras.Sequential([keras.Input((2,)), Doubled()])
    path = tmp_path / "custom.keras"
    model.save(path)
    assert "'Doubled'" in fails(path)
    again = load(path, custom_objects={"Doubled": Doubled})
    np.testing.assert_array_equal(again(np.ones((1, 2), "f4")), [[2, 2]])


def test_object_in_scope(tmp_path):
    path = tmp_path / "custom.keras"
    keras.Sequential([keras.Input((2,)), Doubled()]).save(path)
    with keras.saving.custom_object_scope({"Doubled": Doubled}):
        assert isinstance(load(path).layers[0], Doubled)


def test_constructor_that_rejects_its_config(tmp_path):
    class Broken(Doubled):
        def __init__(self, size=1, **kwargs):
            super().__init__(**kwargs)
            if size == 2:
                raise RuntimeError("size 2 is out of stock")

    path = tmp_path / "broken.keras"
    keras.Sequential([keras.Input((2,)), Broken()]).save(path)
    parts = forge.members(path)
    parts["config.json"] = parts["config.json"].replace(b'"size": 1', b'"size": 2')
    message = fails(forge.write(path, parts), custom_objects={"Broken": Broken})
    assert "RuntimeError: size 2 is out of stock" in message


def test_dense_of_petabytes(tmp_path):
    def change(config):
        config["config"]["layers"][1]["config"]["units"] = 10**14

    message = fails(forge.edited(tmp_path, change), UnsafeFileError)
    assert "dense/kernel" in message
    assert "weights in the file" in message


def test_split_into_millions(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "TENSORS", 10_000)
    x = keras.Input((4,))
    keras.Model(x, keras.ops.split(x, 2, axis=1)).save(path := tmp_path / "split.keras")
    parts = forge.members(path)
    config = parts["config.json"].replace(b'"indices_or_sections": 2', b'"indices_or_sections": 1000000000')
    config = config.replace(b'"batch_shape": [null, 4]', b'"batch_shape": [null, 1000000000]')
    assert "symbolic tensors" in fails(forge.write(path, {**parts, "config.json": config}), UnsafeFileError)


def test_messages_are_fit_for_a_terminal(tmp_path):
    path = forge.with_layer(tmp_path, layer("\x1b[31mRed\x07", "a.b"))
    assert "\x1b" not in fails(path)


def test_our_own_layers_load_with_nothing_passed(tmp_path):
    """In a process that imports nothing but exporter, whatever backend the environment asks for."""
    import exporter.layers
    import exporter.losses

    layers = [exporter.layers.Mish(), keras.layers.Dense(2, activation="exporter>elish")]
    model = keras.Sequential([keras.Input((3,)), *layers])
    model.compile(loss=exporter.losses.Huber())
    model.save(tmp_path / "own.keras")
    code = f"import exporter; print(type(exporter.load({str(tmp_path / 'own.keras')!r}).layers[0]).__name__)"
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["Mish"]


def test_keras_on_another_backend_is_a_usage_error(tmp_path, monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    message = fails(forge.honest(tmp_path), UsageError)
    assert "'jax'" in message
    assert "KERAS_BACKEND=tensorflow" in message


def test_file_with_another_layout_inside_hdf5(tmp_path):
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["images"] = np.zeros((3, 4))
    assert "weights only" in fails(tmp_path / "data.h5")
