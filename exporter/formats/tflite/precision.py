"""Models of another precision: TFLite's kernels compute in float32, so float16, bfloat16 and float64 graphs are rewritten.

Weights keep their values (they are cast where they are read); inputs and outputs keep Keras's dtype.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from exporter.errors import UnsupportedError

if TYPE_CHECKING:
    from exporter.freeze import Inference
    from exporter.spec import TensorInfo

SINGLE = {"float16": "float32", "bfloat16": "float32", "float64": "float32"}

# What a file's inputs and outputs may be: there is a CAST to or from it, and the interpreter can set and read it.
# A float64 output would promise digits that are not there.
OUTPUTS = (
    "float32",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "uint16",
    "uint32",
    "bool",
    "string",
    "complex64",
)
INPUTS = (*OUTPUTS, "float64")


def check_interface(inference: Inference) -> None:
    """Refuse inputs and outputs of a dtype that TFLite does not have.

    Raises:
        UnsupportedError: naming the first of them.
    """
    for infos, allowed in ((inference.inputs, INPUTS), (inference.outputs, OUTPUTS)):
        for info in infos:
            if info.dtype not in allowed:
                raise UnsupportedError(
                    "TFLite has no such dtype here",
                    where=str(info),
                    reason=f"{info.dtype} is not among {', '.join(allowed)}",
                    remedy=f"cast it in the model, e.g. keras.ops.cast({info.name}, 'float32')",
                )


def in_single(concrete: Any, inference: Inference, inputs: tuple[TensorInfo, ...]) -> Any:
    """Return `concrete`, or its rewriting to float32 if it computes in another precision."""
    if not any(dtype in SINGLE for dtype in _dtypes(concrete.graph)):
        return concrete
    from exporter.precision import Widened

    widened = Widened(concrete, SINGLE)
    dtypes = [t.dtype for t in concrete.outputs]

    def function(*tensors: Any) -> list[Any]:
        import tensorflow as tf

        return [tf.cast(t, dtype) for t, dtype in zip(widened(*tensors), dtypes, strict=True)]

    return inference.trace(function, inputs)


def _dtypes(graph: Any) -> Iterator[str]:
    """Yield the dtype of every result in a graph and in the functions that it calls."""
    import tensorflow as tf

    for op in graph.get_operations():
        yield from (t.dtype.name for t in op.outputs)
    for function in graph.as_graph_def(add_shapes=False).library.function:
        for node in function.node_def:
            yield from (tf.as_dtype(t).name for t in _types(node.attr.values()))


def _types(attributes: Iterable[Any]) -> Iterator[int]:
    for value in attributes:
        if value.type:
            yield value.type
        yield from value.list.type
