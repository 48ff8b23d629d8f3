"""A model of the study: how it is built, and what its integers mean."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

Build = Callable[[np.random.Generator], Any]


@dataclass(frozen=True)
class Case:
    """One model of the study.

    Args:
        family: what it is an example of ("unet_gn").
        seed: of its sizes and weights.
        build: makes the keras.Model, given a generator.
        ids: integers at its inputs are below this.
        lengths: sizes to try for dynamic dimensions other than the batch; the last is the greatest that the model has.
        faults: whether faults are injected into its files.
        costly: whether it takes minutes; run on request alone.
        period: outputs that differ by this are the same (angles); 0: they are no angles.
        samples: makes the user's own data, as `exporter.export(samples=...)` takes them.
    """

    family: str
    seed: int
    build: Build
    ids: int = 10
    lengths: tuple[int, ...] = (5, 12)
    faults: bool = True
    costly: bool = False
    period: float = 0.0
    samples: Callable[[], np.ndarray] | None = None

    @property
    def name(self) -> str:
        """Family and seed."""
        return f"{self.family}/{self.seed}"

    def model(self) -> Any:
        """Build the model with seeded weights; the same seed gives the same model in every process."""
        import keras

        number = zlib.crc32(self.name.encode())
        keras.utils.set_random_seed(number % 2**31)
        return self.build(np.random.default_rng(number))


@dataclass(frozen=True)
class Family:
    """A family of models, and how its cases differ from the default."""

    name: str
    build: Build
    options: dict[str, Any]

    def cases(self, count: int) -> Iterator[Case]:
        """Return `count` cases of it."""
        yield from (Case(self.name, seed, self.build, **self.options) for seed in range(count))


FAMILIES: dict[str, Family] = {}


def family(**options: Any) -> Callable[[Build], Build]:
    """Enter a function that builds a model under its name, with options of `Case`."""

    def enter(build: Build) -> Build:
        name = build.__name__.strip("_")
        FAMILIES[name] = Family(name, build, options)
        return build

    return enter


def settled(model: Any, rng: np.random.Generator, scale: float = 1.0) -> Any:
    """Give a model the statistics and offsets that training leaves; multiply its kernels by `scale`.

    A fresh model has biases of 0, gammas of 1 and BatchNormalization's statistics of 0 and 1: half of it is not there.
    """
    draws = {
        "gamma": lambda shape: rng.lognormal(0, 0.3, shape),
        "beta": lambda shape: rng.normal(0, 0.2, shape),
        "bias": lambda shape: rng.normal(0, 0.2, shape) * scale,
        "moving_mean": lambda shape: rng.normal(0, 0.5, shape),
        "moving_variance": lambda shape: rng.lognormal(0, 1, shape),
    }
    for variable in model.variables:
        if variable.name in draws:
            variable.assign(draws[variable.name](tuple(variable.shape)))
        elif variable.name == "kernel" and scale != 1:
            variable.assign(variable * scale)
    return model
