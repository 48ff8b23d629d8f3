"""One small Keras model that a format either exports rightly or refuses, with the ranges of its inputs."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
import numpy as np


@dataclass(frozen=True)
class Spec:
    """An input of a case.

    Args:
        shape: without the batch; None where dynamic.
        dtype: a NumPy dtype, or "string".
        low: floats are drawn from U(low, high); from N(0, 1) where both are None.
        high: integers are drawn from low to high - 1, strings as f"w{n}" likewise.
    """

    shape: tuple[int | None, ...]
    dtype: str = "float32"
    low: float | None = None
    high: float | None = None

    def sample(self, rng: np.random.Generator, batch: int, dynamic: int) -> np.ndarray:
        """Draw an array of `batch` rows, `dynamic` in place of each dimension that is None."""
        shape = (batch, *(dynamic if d is None else d for d in self.shape))
        if self.dtype == "bool":
            return rng.integers(0, 2, shape).astype(bool)
        if self.dtype == "string":
            return np.array([f"w{n}" for n in rng.integers(self.low, self.high, shape).ravel()]).reshape(shape)
        if self.dtype.startswith(("int", "uint")):
            return rng.integers(int(self.low or 0), int(self.high or 5), shape).astype(self.dtype)
        if self.low is None:
            return rng.normal(size=shape).astype(self.dtype)
        return rng.uniform(self.low, self.high, shape).astype(self.dtype)


def floats(*shape: int | None, low: float | None = None, high: float | None = None) -> Spec:
    """Return a float32 input."""
    return Spec(shape, "float32", low, high)


def integers(*shape: int | None, low: int = 0, high: int = 5, dtype: str = "int32") -> Spec:
    """Return an integer input from `low` to `high` - 1."""
    return Spec(shape, dtype, low, high)


def booleans(*shape: int | None) -> Spec:
    """Return a bool input."""
    return Spec(shape, "bool")


def strings(*shape: int | None, words: int = 6) -> Spec:
    """Return a string input of the words "w0", "w1" and so on."""
    return Spec(shape, "string", 0, words)


@dataclass(frozen=True)
class Case:
    """A small model, what of Keras's public API it covers, and how to feed it.

    Args:
        name: unique, "layers.Dense[relu]".
        covers: the public classes and functions that it exercises.
        builder: returns the model.
        inputs: in the order of the model's inputs.
        batch: the only batch size, where Keras itself needs a static one.
    """

    name: str
    covers: tuple[Any, ...]
    builder: Callable[[], keras.Model]
    inputs: tuple[Spec, ...]
    batch: int | None = None

    @property
    def category(self) -> str:
        """The part of the name before the first dot: "layers", "ops", …"""
        return self.name.partition(".")[0]

    def build(self) -> keras.Model:
        """Build the model, the same weights every time; biases and statistics are not left at 0 and 1."""
        keras.backend.clear_session()
        keras.utils.set_random_seed(zlib.crc32(self.name.encode()) % 2**31)
        model = self.builder()
        rng = np.random.default_rng(1)
        for weight in model.weights:
            value = weight.numpy()
            if "seed" not in weight.path and value.dtype.kind == "f" and np.ptp(value) == 0:
                weight.assign(value + rng.uniform(0.1, 0.5, value.shape).astype(value.dtype))
        return model

    def samples(self, names: Sequence[str], batch: int, seed: int = 0, dynamic: int = 6) -> dict[str, np.ndarray]:
        """Draw `batch` rows for the inputs called `names`, with `dynamic` in place of other dynamic dimensions."""
        rng = np.random.default_rng([seed, batch, zlib.crc32(self.name.encode())])
        return {n: s.sample(rng, batch, dynamic) for n, s in zip(names, self.inputs, strict=True)}


def functional(specs: Sequence[Spec], call: Callable[..., Any], batch: int | None = None) -> keras.Model:
    """Return the Functional model `call(*inputs)`."""
    inputs = [keras.Input(s.shape, batch, s.dtype, name=f"input_{i}") for i, s in enumerate(specs)]
    return keras.Model(inputs, call(*inputs))


def layer(cls: type, *specs: Spec, label: str = "", covers: Sequence[Any] = (), **arguments: Any) -> Case:
    """Return the case of one layer on the inputs `specs`, several of them as a list.

    Args:
        cls: the layer's class.
        specs: its inputs.
        label: stands in brackets in the name; by default the arguments.
        covers: what is covered besides the class.
        arguments: of the class; callables without arguments (nested layers) are called when the model is built.
    """

    def build() -> keras.Model:
        made = {k: v() if isinstance(v, partial) else v for k, v in arguments.items()}
        return functional(specs, lambda *xs: cls(**made)(list(xs) if len(xs) > 1 else xs[0]))

    return Case(_name(f"layers.{cls.__name__}", label, arguments), (cls, *covers), build, specs)


def model(name: str, *specs: Spec, call: Callable[..., Any], covers: Sequence[Any] = ()) -> Case:
    """Return the case of the Functional model `call(*inputs)`."""
    return Case(name, tuple(covers), partial(functional, specs, call), specs)


def op(
    function: Any,
    *specs: Spec,
    call: Callable[..., Any] | None = None,
    label: str = "",
    batch: int | None = None,
    **arguments: Any,
) -> Case:
    """Return the case of a function of keras.ops or keras.activations.

    Args:
        function: what is covered.
        specs: its inputs.
        call: takes the input tensors; by default `function(*inputs, **arguments)`.
        label: stands in brackets in the name; by default the arguments.
        batch: the only batch size, where Keras itself needs a static one.
        arguments: of the function.
    """
    place = "activations" if "activations" in function.__module__ else "ops"
    name = _name(f"{place}.{function.__name__}", label, arguments)
    build = partial(functional, specs, call or partial(function, **arguments), batch)
    return Case(name, (function,), build, specs, batch)


def hub(name: str, inputs: Mapping[str, Spec], build: Callable[[Any], keras.Model]) -> Case:
    """Return the case of a model of KerasHub.

    Args:
        name: of the model; a configuration in brackets.
        inputs: by name.
        build: returns the model, given the module keras_hub.models.
    """

    def builder() -> keras.Model:
        import keras_hub

        return build(keras_hub.models)

    return Case(f"hub.{name}", (), builder, tuple(inputs[key] for key in sorted(inputs)))


@keras.saving.register_keras_serializable("conformance")
class Applied(keras.layers.Layer):
    """A layer that computes `call_` on its inputs: for functions that take no symbolic tensors."""

    def __init__(self, call_: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.call_ = call_

    def call(self, inputs: Any) -> Any:
        return self.call_(*inputs) if isinstance(inputs, list) else self.call_(inputs)


def inside(call: Callable[..., Any]) -> Callable[..., Any]:
    """Run `call` inside a layer."""
    return lambda *xs: Applied(call)(list(xs) if len(xs) > 1 else xs[0])


def _name(stem: str, label: str, arguments: Mapping[str, Any]) -> str:
    def text(value: Any) -> str:
        if isinstance(value, partial):
            return getattr(value.func, "__name__", "…")
        return getattr(value, "__name__", str(value)).replace(" ", "")

    label = label or ",".join(f"{k}={text(v)}" for k, v in arguments.items())
    return f"{stem}[{label}]" if label else stem
