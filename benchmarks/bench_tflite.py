"""Latency of our TFLite files against Keras's own export, in LiteRT with XNNPACK: one thread, batch 1, interleaved, medians.

    python -m benchmarks.bench_tflite convnext_tiny lstm --files build/bench

Keras's own export is `model.export(format="litert")`; where that needs Flex ops, which LiteRT does not have, or fails, it is
TFLiteConverter on builtin ops at batch 1. Time is the processor time of the one thread. `outside` lists the ops of our file
that XNNPACK leaves to LiteRT's own kernels. Each file is written by a process of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import timing
from benchmarks.against_keras import Comparison

WANTED = {
    "convnext_tiny": 1.65,
    "mish_groupnorm_cnn": 1.15,
    "bert_small": 1.05,
    "unet": 1.05,
    "mlp_custom_activations": 1.05,
    "mlp_package_activations": 1.05,
    "lstm": 2.0,
    "gru": 0.97,
    "vit_tiny": 0.97,
    "mobilenet_v3_small": 0.97,
    "efficientnet_b0": 0.97,
    "resnet50": 0.97,
    "mobilenet_v2": 0.97,
}
PLAIN = "TFLiteConverter at batch 1"


def export_by_keras(model: Any, path: Path) -> None:
    """Write `model` as Keras does, or as TFLiteConverter does if that needs Flex, and which it was beside it, as `path`.how."""
    path.with_suffix(".how").write_text(_exported_by_keras(model, path))


def _exported_by_keras(model: Any, path: Path) -> str:
    import tensorflow as tf

    from exporter import formats

    model.export(str(path), format="litert", verbose=False)
    if not formats.get("tflite").inspect(path).facts["flex_ops"]:
        return "Keras"
    specs = [tf.TensorSpec((1, *i.shape[1:]), i.dtype) for i in model.inputs]
    concrete = tf.function(lambda *x: model(x[0] if len(x) == 1 else x, training=False)).get_concrete_function(*specs)
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([concrete], concrete).convert())
    return PLAIN


def measure(files: Path, name: str) -> dict[str, Any]:
    """Run both files in turn; return medians of milliseconds, the difference, the ops outside of XNNPACK."""
    paths = {side: files / f"{name}.{side}.tflite" for side in ("ours", "keras")}
    found = {side: loaded(path) for side, path in paths.items() if path.exists()}
    times = timing.medians([i.invoke for i in found.values()])
    result: dict[str, Any] = {side: seconds * 1e3 for side, seconds in zip(found, times, strict=True)}
    if len(found) == 2:
        outputs = [i.get_tensor(i.get_output_details()[0]["index"]) for i in found.values()]
        result["difference"] = float(np.max(np.abs(outputs[0] - outputs[1])) / np.max(np.abs(outputs[1])))
    result["outside"] = {side: outside_xnnpack(interpreter) for side, interpreter in found.items()}
    how = paths["keras"].with_suffix(".how")
    result["against"] = how.read_text() if how.exists() else ""
    return result


def loaded(model: Path | bytes) -> Any:
    """Return the interpreter of a file, one thread, with random inputs set."""
    from ai_edge_litert.interpreter import Interpreter

    given = {"model_content": model} if isinstance(model, bytes) else {"model_path": str(model)}
    interpreter = Interpreter(**given, num_threads=1)
    interpreter.allocate_tensors()
    rng = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], np.dtype(detail["dtype"])
        array = rng.random(shape, np.float32) if dtype.kind == "f" else rng.integers(0, 100, shape)
        interpreter.set_tensor(detail["index"], array.astype(dtype))
    return interpreter


def outside_xnnpack(interpreter: Any) -> Counter[str]:
    """Return how often each op of the first subgraph runs in a kernel of LiteRT's own.

    The nodes are the file's, then one DELEGATE for each part that XNNPACK took over. What the outputs need is followed back,
    through a delegate where it makes a tensor, else through the op of the file that does.
    """
    makers: dict[int, dict[str, Any]] = {}
    for node in interpreter._get_ops_details():  # delegates come last
        makers.update(dict.fromkeys(node["outputs"].tolist(), node))
    needed = [d["index"] for d in interpreter.get_output_details()]
    return Counter(node["op_name"] for node in _followed_back(needed, makers) if node["op_name"] != "DELEGATE")


def _followed_back(needed: list[int], makers: dict[int, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    seen: set[int] = set()
    while needed:
        node = makers.get(needed.pop())
        if node is not None and node["index"] not in seen:
            seen.add(node["index"])
            yield node
            needed += node["inputs"].tolist()


HEADER = f"{'model':24}{'ours':>10}{'theirs':>10}{'ratio':>7}{'wanted':>8}{'differs':>9}  outside of XNNPACK (theirs); against"


def line(name: str, result: dict[str, Any]) -> str:
    """Return a row of the table."""
    if "ours" not in result:
        return f"{name:24} not exported"
    outside = _listed(result["outside"]["ours"])
    if "keras" not in result:
        return f"{name:24}{result['ours']:8.2f}ms   Keras's export failed; {outside}"
    return (
        f"{name:24}{result['ours']:8.2f}ms{result['keras']:8.2f}ms{result['keras'] / result['ours']:7.2f}{WANTED[name]:8.2f}"
        f"{result['difference']:9.0e}  {outside} ({_listed(result['outside']['keras'])}); {result['against']}"
    )


def _listed(ops: Counter[str]) -> str:
    return ", ".join(f"{count} {op}" for op, count in sorted(ops.items())) or "none"


def row(files: Path, name: str) -> str:
    return line(name, measure(files, name))


if __name__ == "__main__":
    Comparison("benchmarks.bench_tflite", __doc__, "tflite", WANTED, HEADER, row, export_by_keras).main()
