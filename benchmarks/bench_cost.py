"""What an export costs as the weights grow, against Keras's own: processor time, memory, bytes.

    python -m benchmarks.bench_cost onnx --sizes 20 100 300 1150 2300
    python -m benchmarks.bench_cost tflite --sizes 100 1150

Each measurement is a process of its own. Time and memory are counted from the built model on: TensorFlow is imported, the
weights are there. Peak memory is the high-water mark above that. Keras's export is measured up to `--keras-up-to` megabytes.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

WIDTH = 1024
MEGABYTE = 1_000_000
SIZES = {"onnx": [20, 100, 300, 1150, 2300], "tflite": [100, 1150]}
KERAS_UP_TO = {"onnx": 100, "tflite": 1150}  # megabytes


def main() -> None:
    arguments = _parser().parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.format, arguments.measure, arguments.sizes[0])))
        return
    print(f"{'weights':>10}{'side':>10}{'seconds':>9}{'peak':>10}{'file':>10}  remarks")
    for size in arguments.sizes or SIZES[arguments.format]:
        for side in ("ours", "keras"):
            if side == "ours" or size <= (arguments.keras_up_to or KERAS_UP_TO[arguments.format]):
                print(line(size, side, _in_process(arguments.format, side, size)), flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("format", choices=("onnx", "tflite"), nargs="?", default="onnx")
    parser.add_argument("--sizes", type=int, nargs="+", help="megabytes of weights")
    parser.add_argument(
        "--keras-up-to", type=int, help="megabytes; more than 100 takes its ONNX export over 12 GB of memory"
    )
    parser.add_argument("--measure", choices=("ours", "keras"), help=argparse.SUPPRESS)
    return parser


def _in_process(form: str, side: str, size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_cost", form, "--measure", side, "--sizes", str(size)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def transformer(size: int) -> Any:
    """Return a transformer with about `size` megabytes of float32 weights."""
    import keras
    from keras import layers

    x = inputs = keras.Input((32, WIDTH))
    for _ in range(max(1, round(size * MEGABYTE / (4 * 12 * WIDTH**2)))):
        y = layers.LayerNormalization()(x)
        x = layers.Add()([x, layers.MultiHeadAttention(16, WIDTH // 16)(y, y)])
        y = layers.Dense(4 * WIDTH, activation="relu")(layers.LayerNormalization()(x))
        x = layers.Add()([x, layers.Dense(WIDTH)(y)])
    return keras.Model(inputs, x)


def measure(form: str, side: str, size: int) -> dict[str, Any]:
    """Export once; return seconds of processor time, peak bytes above the built model, bytes of the files."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    model = transformer(size)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"model.{form}"
        before, used = _resident(), time.process_time()
        with Peak() as peak:
            if side == "ours":
                _ours(model, form, path)
            else:
                _keras(model, form, path)
        seconds = time.process_time() - used
        files = sorted(p.name for p in Path(folder).iterdir())
        written = sum(p.stat().st_size for p in Path(folder).iterdir())
        return {
            "seconds": seconds,
            "peak": peak.bytes - before,
            "file": written,
            "weights": sum(4 * math.prod(w.shape) for w in model.variables),
            "remarks": f"{', '.join(files)}; {_difference(model, path)}",
        }


def _ours(model: Any, form: str, path: Path) -> None:
    from exporter import formats
    from exporter.capture.inference import Inference
    from exporter.spec import Options

    formats.get(form).write(Inference(model), path, Options(), {})


def _keras(model: Any, form: str, path: Path) -> None:
    import numpy as np

    model(np.zeros((1, 32, WIDTH), np.float32))  # Keras refuses a model that was never called
    model.export(str(path), format={"onnx": "onnx", "tflite": "litert"}[form], verbose=False)


def _difference(model: Any, path: Path) -> str:
    """Load the file, run it, and say how far it is from Keras, relative to the largest magnitude."""
    import numpy as np

    x = np.random.default_rng(0).normal(size=(1, 32, WIDTH)).astype(np.float32)
    wanted = np.asarray(model(x, training=False))
    found = (_run_onnx if path.suffix == ".onnx" else _run_tflite)(path, x)
    return f"differs by {np.max(np.abs(found - wanted)) / np.max(np.abs(wanted)):.0e}"


def _run_onnx(path: Path, x: Any) -> Any:
    import onnxruntime as ort

    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def _run_tflite(path: Path, x: Any) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=1)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


class Peak:
    """The largest resident memory while the context lasts, sampled every 5 ms."""

    def __enter__(self) -> Peak:
        self.bytes, self._done = _resident(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._done.wait(0.005):
            self.bytes = max(self.bytes, _resident())


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


def line(size: int, side: str, result: dict[str, Any]) -> str:
    """Return a row of the table."""
    if "error" in result:
        return f"{size:8}MB{side:>10}  {result['error'][:90]}"
    figures = "".join(f"{result[key] / MEGABYTE:8.0f}MB" for key in ("peak", "file"))
    return f"{result['weights'] / MEGABYTE:8.0f}MB{side:>10}{result['seconds']:8.1f}s{figures}  {result['remarks']}"


if __name__ == "__main__":
    main()
