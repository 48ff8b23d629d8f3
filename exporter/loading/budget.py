"""A budget for building a model from a config: a few hundred bytes can ask for a matrix of petabytes.

Keras allocates a variable before it looks at the weights, and creates every output of `split` or every layer of a
backbone before anything else could say no. No public hook sees a variable or a symbolic tensor before it exists,
so three methods are wrapped while a model is built, and restored.
"""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from exporter.errors import UnsafeFileError
from exporter.loading import limits
from exporter.loading.finding import printable


@dataclass
class Budget:
    """What a model may still use while it is built.

    Args:
        file: the model file, for the message.
        variable_bytes: bytes of its variables.
        variables: number of its variables.
        operations: number of its layers and operations.
        tensors: number of its symbolic tensors.
        refusal: the error by which the budget stopped the building, if it did. Keras may wrap or swallow it.
    """

    file: str
    variable_bytes: float = math.inf
    variables: float = math.inf
    operations: float = math.inf
    tensors: float = math.inf
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
        )

    def spend_variable(self, variable: Any, *_: Any) -> None:
        """Account for one variable that is about to be allocated."""
        size = math.prod(variable.shape) * _itemsize(variable.dtype)
        self.variable_bytes -= size
        self.variables -= 1
        if self.variable_bytes < 0 or self.variables < 0:
            self._refuse(
                f"variable {printable(variable.path)} of shape {variable.shape} ({size:.3g} bytes)",
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

    def _refuse(self, what: str, reason: str) -> None:
        self.refusal = UnsafeFileError(
            "the config asks for more than a model of this file needs; building was stopped",
            where=f"{self.file}: {what}",
            reason=reason,
            remedy="if you know who made the file, load it with trust=True (--trust)",
        )
        raise self.refusal


@contextmanager
def enforced(budget: Budget) -> Iterator[None]:
    """Charge every Keras variable, operation and symbolic tensor created in the `with` block to the budget.

    Raises:
        UnsafeFileError: if the budget does not cover them.
    """
    import keras

    with (
        _before(keras.Variable, "_initialize_with_initializer", budget.spend_variable),
        _before(keras.Operation, "__init__", budget.spend_operation),
        _before(keras.KerasTensor, "__init__", budget.spend_tensor),
    ):
        yield


@contextmanager
def _before(cls: type, name: str, hook: Callable[..., None]) -> Iterator[None]:
    """Call `hook` before every call of a method, with its arguments."""
    inherited = name not in vars(cls)
    plain = getattr(cls, name)

    @functools.wraps(plain)
    def charged(*args: Any, **kwargs: Any) -> Any:
        hook(*args, **kwargs)
        return plain(*args, **kwargs)

    charged.__signature__ = inspect.signature(plain)  # type: ignore[attr-defined]  # Keras looks at it
    setattr(cls, name, charged)
    try:
        yield
    finally:
        if inherited:
            delattr(cls, name)
        else:
            setattr(cls, name, plain)


def _itemsize(dtype: str) -> float:
    """Bytes of one element: the digits of `float32`, `int4`, `bfloat16`; one for `bool` and `string`."""
    bits = re.search(r"\d+", dtype)
    return int(bits[0]) / 8 if bits else 1.0
