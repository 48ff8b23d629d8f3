"""Files that were trained and saved under JAX and PyTorch."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from exporter.loading import load
from exporter.loading.custom import TORCH_OPTIMIZERS
from tests.loading import forge

TRAIN_AND_SAVE = """
import sys
import keras
import numpy as np

keras.utils.set_random_seed(0)
x = keras.Input((8, 8, 3))
y = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3, activation="swish")(x))
y = keras.ops.relu(keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(y))) + 1
model = keras.Model(x, y)
model.compile(keras.optimizers.{optimizer}(1e-3), "mse", metrics=["mae"])
rng = np.random.default_rng(0)
images = rng.random((4, 8, 8, 3), "f4")
model.fit(images, rng.random((4, 3), "f4"), verbose=0)
model.save(sys.argv[1])
np.savez(sys.argv[2], images=images, predicted=model.predict(images, verbose=0), steps=int(model.optimizer.iterations))
"""

# Two libraries add up float32 products in different orders: about one unit in the last place of sums near 2.
TOLERANCE = 1e-5


@pytest.mark.backends
@pytest.mark.parametrize(
    ("backend", "optimizer"),
    [("jax", "Adam"), ("torch", "Adam"), ("torch", "SGD"), ("torch", "RMSprop"), ("torch", "Lion")],
)
def test_trained_elsewhere(tmp_path, backend, optimizer):
    path, samples = tmp_path / "model.keras", tmp_path / "samples.npz"
    code = TRAIN_AND_SAVE.format(optimizer=optimizer)
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", code, str(path), str(samples)], env=environment, check=True)
    model, saved = load(path), np.load(samples)
    predicted = model.predict(saved["images"], verbose=0)
    np.testing.assert_allclose(predicted, saved["predicted"], rtol=TOLERANCE, atol=TOLERANCE)
    assert type(model.optimizer) is getattr(keras.optimizers, optimizer)
    assert int(model.optimizer.iterations) == int(saved["steps"]) == 1


def test_optimizers_of_pytorch_are_all_known():
    folder = Path(keras.__file__).parent / "src" / "backend" / "torch" / "optimizers"
    modules = {file.stem.removeprefix("torch_") for file in folder.glob("torch_*.py")} - {
        "optimizer",
        "parallel_optimizer",
    }
    assert {name.lower() for name in TORCH_OPTIMIZERS} == modules


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_optimizer_as_pytorch_stores_it(tmp_path, name):
    """Without PyTorch, its module cannot even be imported; the state of the optimizer comes back all the same."""
    model = forge.dense_model()
    model.compile(getattr(keras.optimizers, name)(1e-3), "mse")
    model.fit(np.ones((2, 2), "f4"), np.ones((2, 2), "f4"), verbose=0)
    path = tmp_path / "m.keras"
    model.save(path)
    parts = forge.members(path)
    config = json.loads(parts[forge.CONFIG])
    module = f"keras.src.backend.torch.optimizers.torch_{name.lower()}"
    config["compile_config"]["optimizer"] |= {"module": module, "registered_name": name}
    again = load(forge.write(path, {**parts, forge.CONFIG: json.dumps(config).encode()}))
    assert type(again.optimizer) is type(model.optimizer)
    for one, two in zip(model.optimizer.variables, again.optimizer.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), two.numpy())
