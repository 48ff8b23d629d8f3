"""Fuzz the audits with inputs that atheris finds by coverage: `python -m tests.loading.guided [SECONDS]`.

Whatever the bytes are, an audit answers with findings: another exception, a hang or a translation of Keras 2 that fails
ends the run with code 1 and leaves the input as `crash-…`. HDF5 is left out: its C library is not instrumented, and is
kept in a process of its own for that reason.
"""

from __future__ import annotations

import copy
import functools
import io
import json
import sys
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import atheris

with atheris.instrument_imports(include=["exporter.loading", "exporter.report", "exporter.formats", "zipfile", "json"]):
    from exporter.errors import ExporterError
    from exporter.formats.tflite.inspect import inspect as inspect_tflite
    from exporter.loading import archive
    from exporter.loading.config import ConfigAudit
    from exporter.loading.custom import KnownNames
    from exporter.loading.legacy import names as old_names
    from exporter.loading.legacy.translated import translate
    from exporter.loading.onnx_file import audit_onnx_file
    from exporter.report import read_report
    from exporter.verification.saving import load_samples

SECONDS = 120
SLOWEST = 10  # seconds for one input
NAMES = KnownNames({})


def _archive(data: bytes) -> None:
    try:
        file = zipfile.ZipFile(io.BytesIO(data))
    except Exception:  # as in audit.py: a finding
        return
    with file:
        findings = archive.audit_archive(file, len(data)) or archive.check_content(file)
        if not findings:
            _config(file.read(archive.CONFIG))


def _config(data: bytes) -> None:
    document, findings = archive.parse_json(data, "config.json")
    if not findings:
        _document(document)


def _edited(data: bytes) -> None:
    """A config of ours in which values stand that nobody would write there."""
    choose = atheris.FuzzedDataProvider(data)
    document = copy.deepcopy(choose.PickValueInList(_configs()))
    for _ in range(choose.ConsumeIntInRange(1, 4)):
        node: Any = document
        while isinstance(node, dict | list) and node:
            keys = list(node) if isinstance(node, dict) else list(range(len(node)))
            key = choose.PickValueInList(keys)
            if not isinstance(node[key], dict | list) or choose.ConsumeProbability() < 0.2:
                node[key] = copy.deepcopy(choose.PickValueInList(_ODD))
                break
            node = node[key]
    _document(document)


def _document(document: Any) -> None:
    list(ConfigAudit(NAMES).model_findings(document))
    list(ConfigAudit(NAMES, legacy=True).findings(document))
    of_keras2 = ConfigAudit(NAMES, True, "config.json", old_names.is_own_module, old_names.ALL_CLASS_NAMES)
    if not list(of_keras2.model_findings(document)):
        translate({"config.json": document}, NAMES)


def _onnx(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(data)
        audit_onnx_file(path)


def _reads(read: Callable[[Path], object], name: str, data: bytes) -> None:
    """A reader of exported files answers, or raises an error of ours."""
    with TemporaryDirectory() as folder:
        (Path(folder) / name).write_bytes(data)
        with suppress(ExporterError):
            read(Path(folder) / name if name.startswith("model") else Path(folder))


def _tflite(data: bytes) -> None:
    _reads(inspect_tflite, "model.tflite", data)


def _report(data: bytes) -> None:
    _reads(read_report, "report.json", data)


def _samples(data: bytes) -> None:
    _reads(load_samples, "index.json", data)


def one_input(data: bytes) -> None:
    """The first byte chooses the audit."""
    if data:
        _READERS[data[0] % len(_READERS)](data[1:])


_READERS = (_config, _archive, _onnx, _edited, _tflite, _report, _samples)
_ODD: list[Any] = [
    None, True, -1, 1 << 70, 0.5, "", "..", "/", "hard_sigmoid", "GRU", [], [[]], {}, ["x", 0, 0], [None, "a"], {"a": []},
    {"class_name": "Lambda"}, {"class_name": "Dense", "config": None}, {"class_name": "Policy", "config": {}},
    {"class_name": "__tuple__", "items": 1}, {"type": "ndarray", "value": {}}, {"class_name": []}, {"class_name": "Model"},
    {"class_name": "function", "config": "relu"}, {"class_name": "Sequential", "config": [None, 1, {}]},
]  # fmt: skip


@functools.cache
def _configs() -> list[dict[str, Any]]:
    def layer(name: str, **config: Any) -> dict[str, Any]:
        placed = {"name": "l", "inbound_nodes": [[["x", 0, 0, {}]]]}
        return {"module": "keras.layers", "class_name": name, "config": {"name": "l", **config}, **placed}

    layers = [
        layer(
            "Dense",
            units=2,
            activation="relu",
            kernel_initializer={"class_name": "Zeros", "config": {}},
            dtype="float32",
        ),
        layer("StringLookup", vocabulary=["a"]),
        layer("Attention", causal=False),
        layer("RandomCrop", height=2, width=2),
        layer("InputLayer", batch_input_shape=[None, 4], dtype={"class_name": "Policy", "config": {"name": "float32"}}),
        layer("GRU", units=2, recurrent_activation="hard_sigmoid", time_major=False),
        layer("Bidirectional", layer=layer("LSTM", units=2)),
        layer("TFOpLambda", function="math.add"),
        layer("BatchNormalization", axis=[1], beta_initializer={"class_name": "Zeros", "config": {"dtype": "x"}}),
    ]
    graph = {"name": "m", "layers": layers, "input_layers": [["x", 0, 0]], "output_layers": [["l", 0, 0]]}
    training = {"loss": {"a": "mse"}, "optimizer_config": {"class_name": "Adam", "config": {"lr": 0.1, "decay": 0.1}}}
    return [{"class_name": name, "config": graph, "compile_config": training} for name in ("Functional", "Sequential")]


def _seeds() -> list[bytes]:
    configs = _configs()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr(archive.CONFIG, json.dumps(configs[0]))
        file.writestr(archive.WEIGHTS, b"")
    return [
        *(b"\0" + json.dumps(config).encode() for config in configs),
        b"\1" + buffer.getvalue(),
        b"\2",
        b"\3" + bytes(range(64)),
        b"\4\x1c\0\0\0TFL3" + bytes(64),
        b'\5{"generator": "keras-exporter", "schema_version": 1, "model": "m", "artifacts": [], "problems": []}',
        b'\6{"version": 1, "reference": "keras", "notes": [], "stateful": false, "inputs": [], "outputs": [], "samples": []}',
    ]


def main() -> None:
    """Run for a bounded time on seeds of our own."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with TemporaryDirectory() as corpus:
        for number, seed in enumerate(_seeds()):
            (Path(corpus) / str(number)).write_bytes(seed)
        options = [f"-max_total_time={seconds}", f"-timeout={SLOWEST}", "-rss_limit_mb=4096", "-max_len=16384", corpus]
        atheris.Setup([sys.argv[0], *options], one_input)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
