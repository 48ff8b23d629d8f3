"""Latency of our ONNX files against Keras's own export, in ONNX Runtime: one thread, batch 1, interleaved, medians.

    python -m benchmarks.bench_onnx gru lstm --files build/bench

Time is the processor time of the one thread, so that a busy machine disturbs little. `limit` is how near a file comes to doing
its multiply-accumulates at the rate of ONNX Runtime's product of 1024 x 1024 matrices. `transposes` are those in our file, and
those that are left when ONNX Runtime has optimized it. Each model runs in processes of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.against_keras import Comparison

SIZE = 1024  # of the matrices whose product tells the limit
PRODUCTS = 0.5  # seconds of measuring that: after the models, whose caches it would empty
WANTED = {
    "gru": 4.5,
    "mish_groupnorm_cnn": 2.4,
    "convnext_tiny": 1.4,
    "mlp_custom_activations": 1.4,
    "mlp_package_activations": 1.0,
    "mobilenet_v3_small": 1.3,
    "vit_tiny": 1.25,
    "bert_small": 1.17,
    "efficientnet_b0": 1.12,
    "unet": 1.1,
    "lstm": 1.0,
    "lstm_static_batch": 3.5,
    "resnet50": 1.0,
    "mobilenet_v2": 1.0,
}


def export_by_keras(model: Any, path: Path) -> None:
    from benchmarks.keras_onnx import export

    export(model, path)


def measure(files: Path, name: str) -> dict[str, Any]:
    """Run both files in turn; return medians of milliseconds, what is left of the limit, transposes."""
    from benchmarks.macs import count

    ours, keras = (files / f"{name}.{side}.onnx" for side in ("ours", "keras"))
    found = {side: _session(path) for side, path in (("ours", ours), ("keras", keras)) if path.exists()}
    times = timing.medians([_runs(*each) for each in found.values()])
    (product,) = timing.medians([_runs(*_product())], PRODUCTS)
    result: dict[str, Any] = {side: seconds * 1e3 for side, seconds in zip(found, times, strict=True)}
    if "ours" in found:
        result["transposes"] = f"{_transposes(ours)} / {_transposes(_optimized(ours, files))}"
        result["limit"] = count(ours, found["ours"][1]) / SIZE**3 * product / result["ours"] * 1e3
        result["difference"] = _difference(found) if len(found) == 2 else float("nan")
    repairs = files / f"{name}.keras.repairs"
    result["repairs"] = repairs.read_text() if repairs.exists() else ""
    return result


def _transposes(path: Path) -> int:
    import onnx

    return sum(node.op_type == "Transpose" for node in onnx.load(path, load_external_data=False).graph.node)


def _optimized(path: Path, folder: Path) -> Path:
    """Write the model as ONNX Runtime executes it."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    written = folder / f"{path.stem}.optimized.onnx"
    options.optimized_model_filepath = str(written)
    ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return written


def _session(path: Path) -> tuple[Any, dict[str, np.ndarray]]:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    fed = {}
    for i in session.get_inputs():
        shape = [d if isinstance(d, int) else 1 for d in i.shape]
        fed[i.name] = rng.integers(0, 100, shape).astype(np.int32) if "int" in i.type else rng.random(shape, np.float32)
    return session, fed


def _difference(found: dict[str, tuple[Any, dict[str, np.ndarray]]]) -> float:
    """Return the largest difference of the outputs, over the largest magnitude."""
    a, b = (session.run(None, fed)[0] for session, fed in found.values())
    return float(np.max(np.abs(a - b)) / np.max(np.abs(b)))


def _runs(session: Any, fed: dict[str, np.ndarray]) -> Callable[[], object]:
    return lambda: session.run(None, fed)


def _product() -> tuple[Any, dict[str, np.ndarray]]:
    """Return a session that multiplies two matrices, by whose rate the limit is told, and what to feed it."""
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    shape, matrix = (SIZE, SIZE), np.random.default_rng(0).random((SIZE, SIZE), np.float32)
    infos = [helper.make_tensor_value_info(n, TensorProto.FLOAT, shape) for n in "xy"]
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "gemm",
        infos[:1],
        infos[1:],
        [numpy_helper.from_array(matrix, "w")],
    )
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"]), {"x": matrix}


HEADER = f"{'model':24}{'ours':>9}{'Keras':>9}{'ratio':>7}{'wanted':>8}{'limit':>7}{'transposes':>12}{'differs':>9}  repaired"


def line(name: str, result: dict[str, Any]) -> str:
    """Return a row of the table."""
    if "ours" not in result:
        return f"{name:24} not exported"
    if "keras" not in result:
        return (
            f"{name:24}{result['ours']:7.2f}ms   Keras's export failed; {result['limit']:.0%}, {result['transposes']}"
        )
    ratio = result["keras"] / result["ours"]
    return (
        f"{name:24}{result['ours']:7.2f}ms{result['keras']:7.2f}ms{ratio:7.2f}{WANTED[name]:8.2f}{result['limit']:7.0%}"
        f"{result['transposes']:>12}{result['difference']:9.0e}  {result['repairs']}"
    )


def row(files: Path, name: str) -> str:
    return line(name, measure(files, name))


if __name__ == "__main__":
    Comparison("benchmarks.bench_onnx", __doc__, "onnx", WANTED, HEADER, row, export_by_keras).main()
