"""A budget for building a model from a config: a few hundred bytes can ask for a matrix of petabytes.

Keras allocates a variable before it looks at the weights, and creates every output of `split` or every layer of a
backbone before anything else could say no. No public hook sees a variable or a symbolic tensor before it exists,
so some methods are wrapped while a model is built, and restored (`hooks.py`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from exporter.errors import UnsafeFileError
from exporter.loading import limits
from exporter.loading.finding import printable
from exporter.loading.hooks import Hook


@dataclass
class Budget:
    """What a model may still use while it is built.

    Args:
        file: the model file, for the message.
        variable_bytes: bytes of its variables.
        variables: number of its variables.
        operations: number of its layers and operations.
        tensors: number of its symbolic tensors.
        calls: number of calls of its layers and operations, those inside of other layers included.
        refusal: the error by which the budget stopped the building, if it did. Keras may wrap or swallow it.
    """

    file: str
    variable_bytes: float = math.inf
    variables: float = math.inf
    operations: float = math.inf
    tensors: float = math.inf
    calls: float = math.inf
    refusal: UnsafeFileError | None = None

    @classmethod
    def for_weights(cls, file: str, arrays: int, array_bytes: int) -> Budget:
        """What weights of this number and size explain."""
        return cls(
            file,
            limits.VARIABLES_FLOOR + limits.VARIABLES_OVER_WEIGHTS * array_bytes,
            limits.VARIABLES_COUNT_FLOOR + limits.VARIABLES_OVER_WEIGHTS * arrays,
            limits.OPERATIONS,
            limits.TENSORS,
            limits.CALLS,
        )

    def spend_variable(self, variable: Any, *_: Any) -> None:
        """Account for one variable that is about to be allocated."""
        self._spend_array(f"variable {printable(variable.path)}", variable.shape, _itemsize(variable.dtype))

    def spend_statistics(self, layer: Any, input_shape: Any, *_: Any, **__: Any) -> None:
        """Account for the mean and variance of a Normalization, which are spread over its axes when it is built."""
        if layer.input_mean is not None:
            shape = tuple(input_shape)
            self._spend_array(f"layer {printable(layer.name)}", [shape[axis] or 1 for axis in layer.axis or ()], 8)

    def _spend_array(self, what: str, shape: Sequence[int], itemsize: float) -> None:
        size = float(min(math.prod(shape), _HUGE)) * itemsize  # an integer of a file may be beyond all floats
        self.variable_bytes -= size
        self.variables -= 1
        if self.variable_bytes < 0 or self.variables < 0:
            shown = f"({', '.join(map(_short, shape))}{',' if len(shape) == 1 else ''})"
            self._refuse(
                f"{what} of shape {shown} ({size:.3g} bytes)",
                "more than the weights in the file explain",
            )

    def spend_operation(self, *_: Any, **__: Any) -> None:
        """Account for one layer or operation."""
        self.operations -= 1
        if self.operations < 0:
            self._refuse("layers", f"more than {limits.OPERATIONS}")

    def spend_tensor(self, *_: Any, **__: Any) -> None:
        """Account for one symbolic tensor."""
        self.tensors -= 1
        if self.tensors < 0:
            self._refuse("symbolic tensors", f"more than {limits.TENSORS}")

    def spend_call(self, *_: Any, **__: Any) -> None:
        """Account for one call of a layer or operation."""
        self.calls -= 1
        if self.calls < 0:
            self._refuse("calls of layers", f"more than {limits.CALLS}")

    def _refuse(self, what: str, reason: str) -> None:
        self.refusal = UnsafeFileError(
            "the config asks for more than a model of this file needs; building was stopped",
            where=f"{self.file}: {what}",
            reason=reason,
            remedy="if you know who made the file, load it with trust=True (--trust)",
        )
        raise self.refusal


_HUGE = 10**300


def _short(dimension: int) -> str:
    return str(dimension) if dimension < _HUGE else "a number of hundreds of digits"


def _charge(name: str) -> Callable[..., Any]:
    """Call a method of the budget before the method of Keras, with the same arguments."""

    def around(budget: Budget, plain: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        getattr(budget, name)(*args, **kwargs)
        return plain(*args, **kwargs)

    return around


def _class(name: str) -> Callable[[], type]:
    """Look a class of Keras up when it is needed: importing it costs seconds."""

    def find() -> type:
        import keras

        found: Any = keras
        for part in name.split("."):
            found = getattr(found, part)
        return found

    return find


_HOOKS: tuple[Hook[Budget], ...] = (
    Hook(_class("Variable"), "_initialize_with_initializer", _charge("spend_variable")),
    Hook(_class("Operation"), "__init__", _charge("spend_operation")),
    Hook(_class("Operation"), "__call__", _charge("spend_call")),
    Hook(_class("KerasTensor"), "__init__", _charge("spend_tensor")),
    Hook(_class("layers.Normalization"), "build", _charge("spend_statistics"), shown=False),
)


@contextmanager
def enforced(budget: Budget) -> Iterator[None]:
    """Charge what Keras creates and calls in the `with` block, in this thread, to the budget.

    Raises:
        UnsafeFileError: if the budget does not cover it.
    """
    with ExitStack() as stack:
        for hook in _HOOKS:
            stack.enter_context(hook.entered(budget))
        yield


def _itemsize(dtype: str) -> float:
    """Bytes of one element: the digits of `float32`, `int4`, `bfloat16`; one for `bool` and `string`."""
    bits = re.search(r"\d+", dtype)
    return int(bits[0]) / 8 if bits else 1.0
