"""The whole conformance of layers, activations and losses once more under JAX and under PyTorch.

A backend is chosen when Keras is imported, so each runs in a process of its own. A backend that is not installed fails.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
# Only TensorFlow, under which models are exported, computes float64 throughout.
LEFT_OUT = ("test_backends.py", "test_float64.py")


@pytest.mark.backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_conformance_under_another_backend(backend: str) -> None:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--tb=short",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        str(HERE),
    ]
    command += [f"--ignore={HERE / name}" for name in LEFT_OUT]
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=800, check=False)
    assert run.returncode == 0, f"{backend}: {run.stdout[-8000:]}\n{run.stderr[-2000:]}"
    assert " passed" in run.stdout
    assert "skipped" not in run.stdout


@pytest.mark.backends
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_layers_and_losses_do_not_import_tensorflow(backend: str) -> None:
    code = "import sys, exporter.layers, exporter.losses; sys.exit('tensorflow' in sys.modules)"
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, timeout=300, check=True)
