"""What is lowered to ONNX, and by which function: Keras layers, functions of Keras's backend, TensorFlow ops.

    @lowers_layer(keras.layers.Dense)
    def dense(g, layer, inputs): ...

    @lowers_function("nn.gelu")
    def gelu(g, x, approximate=True): ...

    @lowers_activation(keras.activations.mish)
    def mish(g, x): ...

    @lowers_op("AddV2")
    def add(g, op, x, y): ...

A lowering takes the graph under construction and what the layer's `call`, the function or the op takes, with a `Value` for
each tensor, and returns what they return, with Values. Layers and functions may say when they can (`when=`); else they are
traced further, down to functions and ops that have a lowering.

    @rewrites_layer(keras.layers.TimeDistributed)
    def time_distributed(original, layer, inputs): ...

A rewrite is not a lowering: it runs in place of `call` while the model is traced, on TensorFlow's tensors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from exporter.registry import Registry, import_submodules

Lowering = Callable[..., Any]
Condition = Callable[..., bool]
Prepare = Callable[..., tuple[tuple[Any, ...], dict[str, Any], Any]]
F = TypeVar("F", bound=Lowering)


@dataclass(frozen=True)
class Entry:
    """A lowering and the condition under which it applies, given the arguments of the call that is traced.

    Args:
        lowering: writes the nodes.
        when: says, of the call's arguments, whether the lowering can express it.
        prepare: called while tracing with the call's arguments; returns (args, kwargs) for the lowering, and the spec
            (shapes and dtypes) of what the call returns. For functions that take functions, which must be traced now.
    """

    lowering: Lowering
    when: Condition | None = None
    prepare: Prepare | None = None

    def applies(self, *args: Any, **kwargs: Any) -> bool:
        """Whether the lowering can express this call."""
        return self.when is None or self.when(*args, **kwargs)


LAYERS: Registry[Entry] = Registry("layer lowering")
FUNCTIONS: Registry[Entry] = Registry("function lowering")
ACTIVATIONS: Registry[Entry] = Registry("activation lowering")
OPS: Registry[Entry] = Registry("op lowering")
REWRITES: Registry[Entry] = Registry("layer rewrite")
CLASSES: dict[str, type] = {}


def lowers_layer(*classes: type, when: Condition | None = None) -> Callable[[F], F]:
    """Register a lowering `(g, layer, *args, **kwargs)` for the `call` of Keras layer classes."""

    def enter(lowering: F) -> F:
        for cls in classes:
            name = f"{cls.__module__}.{cls.__qualname__}"
            LAYERS.register(name)(Entry(lowering, when))
            CLASSES[name] = cls
        return lowering

    return enter


def rewrites_layer(*classes: type, when: Condition | None = None) -> Callable[[F], F]:
    """Register a rewrite `(original, layer, *args, **kwargs)` of the `call` of Keras layer classes."""

    def enter(rewrite: F) -> F:
        for cls in classes:
            name = f"{cls.__module__}.{cls.__qualname__}"
            REWRITES.register(name)(Entry(rewrite, when))
            CLASSES[name] = cls
        return rewrite

    return enter


def lowers_function(*names: str, when: Condition | None = None, prepare: Prepare | None = None) -> Callable[[F], F]:
    """Register a lowering `(g, *args, **kwargs)` for functions, named as `exporter.capture.patching` names them."""

    def enter(lowering: F) -> F:
        FUNCTIONS.register(*names)(Entry(lowering, when, prepare))
        return lowering

    return enter


def lowers_activation(*functions: Callable[..., Any]) -> Callable[[F], F]:
    """Register a lowering `(g, x)` for activation functions that layers hold, called with their default arguments."""

    def enter(lowering: F) -> F:
        for function in functions:
            ACTIVATIONS.register(f"{function.__module__}.{function.__qualname__}")(Entry(lowering))
        return lowering

    return enter


def lowers_op(*types: str) -> Callable[[F], F]:
    """Register a lowering `(g, op, *inputs)` for TensorFlow ops; `op` is the tf.Operation with its attributes."""

    def enter(lowering: F) -> F:
        OPS.register(*types)(Entry(lowering))
        return lowering

    return enter


def import_lowerings() -> None:
    """Import everything that registers itself here."""
    for package in ("lowerings", "fusions"):
        import_submodules(f"exporter.formats.onnx.{package}")


def replaced_functions() -> set[str]:
    """Return the names of all functions of Keras that are replaced, as `exporter.capture.patching` takes them."""
    import_lowerings()
    return set(FUNCTIONS)
