"""The smallest models around the layers, and the process that reloads them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.conformance.public.cases import FUNCTIONS, layer_cases
from tests.conformance.public.kinds import Case

Array = np.ndarray

# Runs in a fresh interpreter that knows of this project only the one package named on its command line.
_RELOAD = """
import importlib, pathlib, sys
import keras, numpy
importlib.import_module(sys.argv[1])
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.keras")):
    model = keras.models.load_model(path)
    inputs = numpy.load(path.with_suffix(".npy"))
    outputs = [keras.ops.convert_to_numpy(output) for output in keras.tree.flatten(model(inputs))]
    if model.compiled:
        outputs += [variable.numpy() for variable in model.optimizer.variables]
        outputs.append(model.train_on_batch(inputs, numpy.ones((len(inputs), 1))))
        outputs += model.get_weights()
    numpy.savez(path.with_suffix(".npz"), *outputs)
"""


def model_of(cls: type, case: Case, **options: Any) -> keras.Model:
    """A functional model of one layer, with random weights."""
    sample = case.sample()
    inputs = keras.Input(sample.shape[1:], dtype=sample.dtype.name)
    model = keras.Model(inputs, cls(**case.arguments, **options)(inputs))
    generator = np.random.default_rng(5)
    model.set_weights([generator.standard_normal(weight.shape).astype("float32") for weight in model.weights])
    return model


def models() -> Iterator[tuple[str, keras.Model, Array]]:
    """(name, model, inputs) of every case of every layer, and of every activation used by its name in a Dense layer."""
    for number, (_, cls, case) in enumerate(layer_cases()):
        yield f"{number:02}-{cls.__name__}", model_of(cls, case), case.sample()
    for function, (case, *_) in FUNCTIONS.items():
        inputs = keras.Input(case.sample().shape[1:])
        dense = keras.layers.Dense(8, activation=f"exporter>{function.__name__}")
        yield f"Dense-{function.__name__}", keras.Model(inputs, dense(inputs)), case.sample()


def reload_in_fresh_process(package: str, folder: Path) -> dict[str, list[Array]]:
    """Load every .keras file of `folder` after importing `package` alone; what the models then compute, by file name."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", _RELOAD, package, str(folder)], check=True, timeout=300)
    return {path.stem: _arrays(path) for path in folder.glob("*.npz")}


def _arrays(path: Path) -> list[Array]:
    with np.load(path) as archive:
        return [archive[name] for name in archive.files]
