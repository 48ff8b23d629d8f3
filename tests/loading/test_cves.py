"""Every published weakness of model files that we know: a file that uses it is refused by name, and does nothing."""

from __future__ import annotations

import io
import json
import os
import stat
import time
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.utils import python_utils

from exporter.errors import LoadError, UnsafeFileError
from exporter.loading import load
from tests.loading import forge
from tests.loading.forge import function, layer

SECONDS = 30  # for a refusal, on a busy machine; Keras itself is imported before
MEMORY = 200 << 20  # bytes that refusing may allocate in Python


def refused(path: Path, *words: str, **arguments) -> str:
    """Load must refuse, quickly, without writing beside the file or running anything in it; returns the message."""
    marker = Path("executed")
    before = {entry: entry.stat().st_mtime_ns for entry in path.parent.rglob("*")}
    start = time.monotonic()
    tracemalloc.start()
    try:
        with pytest.raises(UnsafeFileError) as caught:
            load(path, **arguments)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert time.monotonic() - start < SECONDS
    assert peak < MEMORY
    assert not marker.exists()
    assert {entry: entry.stat().st_mtime_ns for entry in path.parent.rglob("*")} == before
    message = str(caught.value)
    for word in words:
        assert word in message
    return message


@pytest.fixture(autouse=True)
def _in_empty_folder(tmp_path, monkeypatch):
    (folder := tmp_path / "work").mkdir()
    monkeypatch.chdir(folder)


def lambda_bytecode():
    return python_utils.func_dump(lambda x: open("executed", "w").close() or x)


def test_cve_2024_3660_lambda_with_bytecode(tmp_path):
    code, defaults, closure = lambda_bytecode()
    body = {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
    path = forge.with_layer(tmp_path, layer("Lambda", function=body, arguments={}))
    refused(path, "CVE-2024-3660", "Lambda", "added")


def test_cve_2024_3660_bytecode_anywhere(tmp_path):
    """The same bytecode as an activation, below a layer that nobody suspects."""
    body = {"class_name": "__lambda__", "config": {"value": lambda_bytecode()[0]}}
    refused(forge.with_layer(tmp_path, layer("Dense", units=2, activation=body)), "CVE-2024-3660", "activation")


@pytest.mark.parametrize(
    ("module", "name"),
    [("os", "system"), ("subprocess", "run"), ("builtins", "eval"), ("importlib", "import_module"), ("numpy", "load")],
)
def test_cve_2025_1550_callables_of_other_modules(tmp_path, module, name):
    path = forge.with_layer(tmp_path, layer("Dense", units=2, activation=function(name, module)))
    refused(path, "CVE-2025-1550", f"{module}.{name}")


def test_cve_2025_1550_class_of_another_module(tmp_path):
    refused(forge.with_layer(tmp_path, layer("Popen", "subprocess", args="touch executed")), "CVE-2025-1550")


def test_cve_2025_1550_pytorch_module(tmp_path):
    refused(forge.with_layer(tmp_path, layer("TorchModuleWrapper", module="gASVIA==")), "CVE-2025-1550", "unpickles")


@pytest.mark.parametrize("name", ["get_file", "plot_model", "load_img"])
def test_cve_2025_8747_functions_of_keras_that_are_no_model(tmp_path, name):
    path = forge.with_layer(tmp_path, layer("Dense", units=2, activation=function(name, "keras.utils")))
    refused(path, "CVE-2025-8747", f"keras.utils.{name}")


def test_cve_2025_9906_config_that_turns_safe_mode_off(tmp_path):
    code, defaults, closure = lambda_bytecode()
    body = {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}

    def attack(config):
        config["config"]["layers"] += [
            layer("Dense", units=2, activation=function("enable_unsafe_deserialization", "keras.config")),
            layer("Lambda", function=body),
        ]

    message = refused(forge.edited(tmp_path, attack), "CVE-2025-9906", "CVE-2024-3660")
    assert "enable_unsafe_deserialization" in message
    assert keras.src.saving.serialization_lib.in_safe_mode() is not False


def test_cve_2025_9905_lambda_in_a_legacy_file(tmp_path):
    code, defaults, closure = lambda_bytecode()

    def attack(config):
        config["config"]["layers"].append(
            {"class_name": "Lambda", "config": {"name": "added", "function": [code, defaults, closure]}}
        )

    refused(forge.legacy(tmp_path, attack), "CVE-2025-9905", "Lambda")


def test_cve_2025_9905_keras_3_form_in_a_legacy_file(tmp_path):
    path = tmp_path / "lambda.h5"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 2, name="doubled")])
    model.save(path)
    refused(path, "CVE-2025-9905", "doubled")


@pytest.mark.parametrize("name", ["StringLookup", "TextVectorization", "IntegerLookup"])
def test_cve_2025_12058_vocabulary_read_from_a_path(tmp_path, name):
    (tmp_path / "secret.txt").write_text("one\ntwo\n")
    path = forge.with_layer(tmp_path, layer(name, vocabulary=str(tmp_path / "secret.txt")))
    refused(path, "CVE-2025-12058", "vocabulary", "secret.txt")


def test_cve_2026_0897_shape_bomb(tmp_path):
    def attack(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", (1 << 20, 1 << 20), "f4", chunks=(1024, 1024), compression="gzip")

    refused(forge.with_weights(tmp_path, attack), "CVE-2026-0897", "layers/dense/vars/0", "1048576")


def test_cve_2026_0897_declared_but_never_stored(tmp_path):
    def attack(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", (1 << 40,), "f4")

    refused(forge.with_weights(tmp_path, attack), "CVE-2026-0897")


def test_cve_2026_0897_decompression_bomb(tmp_path):
    def attack(file):
        del file["layers/dense/vars/0"]
        zeros = np.zeros((64 << 20) // 4, "f4")
        file["layers/dense/vars"].create_dataset("0", data=zeros, compression="gzip", chunks=(4 << 20,))

    refused(forge.with_weights(tmp_path, attack), "CVE-2026-0897")


def test_cve_2026_1669_external_storage(tmp_path):
    (tmp_path / "secret").write_bytes(b"0123456789abcdef")

    def attack(file):
        del file["layers/dense/vars/0"]
        external = [(str(tmp_path / "secret"), 0, 16)]
        file["layers/dense/vars"].create_dataset("0", (2, 2), "f4", external=external)

    refused(forge.with_weights(tmp_path, attack), "CVE-2026-1669", "another file")


def test_cve_2026_1669_external_link(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["stolen"] = np.ones((2, 2), "f4")

    def attack(file):
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/stolen")

    refused(forge.with_weights(tmp_path, attack), "CVE-2026-1669", "ExternalLink")


def test_cve_2026_1669_soft_link_and_virtual_dataset(tmp_path):
    def attack(file):
        file["layers/soft"] = h5py.SoftLink("/layers/dense")
        layout = h5py.VirtualLayout((2, 2), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "stolen", (2, 2))
        file.create_virtual_dataset("layers/virtual", layout)

    refused(forge.with_weights(tmp_path, attack), "CVE-2026-1669", "SoftLink", "virtual dataset")


def test_cve_2026_1669_in_a_legacy_file(tmp_path):
    path = forge.legacy(tmp_path)
    with h5py.File(path, "a") as file:
        file["model_weights/dense/link"] = h5py.ExternalLink("/etc/hostname", "/")
    refused(path, "CVE-2026-1669")


def test_cve_2026_1462_layer_that_loads_a_saved_model(tmp_path):
    path = forge.with_layer(tmp_path, layer("TFSMLayer", filepath=str(tmp_path), call_endpoint="serve"))
    refused(path, "CVE-2026-1462", "SavedModel")


@pytest.mark.parametrize("name", ["../../executed", "/etc/passwd", "a/../../b", "..\\b", "C:/x", "a\0b"])
def test_cve_2026_12479_layer_name_that_leads_out(tmp_path, name):
    def attack(config):
        config["config"]["layers"][1]["config"]["name"] = name

    refused(forge.edited(tmp_path, attack), "CVE-2026-12479", "dense" if "dense" in name else "name")


def test_archive_member_that_leads_out(tmp_path):
    parts = forge.members(forge.honest(tmp_path))
    for name in ("../executed", "/tmp/executed", "assets/../../executed", "assets\\..\\executed"):
        refused(forge.write(tmp_path / "evil.keras", {**parts, name: b"x"}), "leads out")


def test_archive_with_a_link(tmp_path):
    path = tmp_path / "evil.keras"
    parts = forge.members(forge.honest(tmp_path))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
        link = zipfile.ZipInfo("assets/link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    refused(path, "link", "assets/link")


def test_archive_bomb(tmp_path):
    parts = forge.members(forge.honest(tmp_path))
    bomb = forge.write(tmp_path / "b.keras", {**parts, "assets/bomb": bytes(64 << 20)}, zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 1 << 20
    refused(bomb, "assets/bomb", "bomb")


def test_config_bomb(tmp_path):
    parts = forge.members(forge.honest(tmp_path))
    padded = parts["config.json"] + b" " * (65 << 20)
    refused(forge.write(tmp_path / "b.keras", {**parts, "config.json": padded}, zipfile.ZIP_DEFLATED), "config.json")


def test_overlapping_members(tmp_path):
    """A quine-like bomb: many directory entries for the same stored bytes."""
    parts = forge.members(forge.honest(tmp_path))
    path = forge.write(tmp_path / "b.keras", {**parts, "assets/a": bytes(range(256)) * 400})
    raw = path.read_bytes()
    directory = raw.index(b"PK\x01\x02")
    end = raw.rindex(b"PK\x05\x06")
    entry = raw[raw.rindex(b"PK\x01\x02") : end]
    entries = b"".join(entry.replace(b"assets/a", b"assets/%c" % c) for c in range(98, 123))
    tail = bytearray(raw[end:])
    count = 4 + 25
    tail[8:10] = tail[10:12] = count.to_bytes(2, "little")
    tail[12:16] = (end - directory + len(entries)).to_bytes(4, "little")
    path.write_bytes(raw[:end] + entries + tail)
    refused(path, "overlap")


def test_duplicate_members(tmp_path):
    path = forge.honest(tmp_path)
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {}}))
    refused(path, "config.json", "2 members have this name")


def test_everything_is_said_at_once(tmp_path):
    def attack(config):
        config["config"]["layers"] += [
            layer("TFSMLayer", filepath="x"),
            layer("Dense", units=2, activation=function("system", "os")),
            layer("StringLookup", vocabulary="/etc/passwd"),
            layer("Mystery", "nowhere.layers"),
        ]

    refused(forge.edited(tmp_path, attack), "CVE-2026-1462", "CVE-2025-1550", "CVE-2025-12058", "Mystery")


def test_the_same_files_are_dangerous_without_us(tmp_path):
    """The bytecode of these tests does run where it is trusted: otherwise they would prove nothing."""
    code, defaults, closure = lambda_bytecode()
    body = {"class_name": "__lambda__", "config": {"code": code, "defaults": defaults, "closure": closure}}
    path = forge.with_layer(tmp_path, layer("Lambda", function=body, arguments={}))
    model = load(path, trust=True)
    model(np.zeros((1, 2), "f4"))
    assert os.path.exists("executed")
    assert keras.src.saving.serialization_lib.in_safe_mode() is None


def test_trust_does_not_hide_that_a_file_is_damaged(tmp_path):
    parts = forge.members(forge.honest(tmp_path))
    weights = io.BytesIO(parts[forge.WEIGHTS]).getvalue()[:500]
    path = forge.write(tmp_path / "cut.keras", {**parts, forge.WEIGHTS: weights})
    with pytest.raises(LoadError, match="cut short"):
        load(path, trust=True)
