"""A TFLite file opened in LiteRT, the interpreter that devices use."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exporter.errors import InvalidArtifactError, UsageError
from exporter.formats.tflite.flex import VERIFIED_WITH_FLEX, with_flex, without_flex
from exporter.formats.tflite.inspect import inspect
from exporter.spec import TensorInfo
from exporter.tfgraph.precision import TO_SINGLE

PLAUSIBLE = (64, 8, 224, 1)  # sizes at which dynamic dimensions are tried: images, sequences, large images, anything
LARGE = (1024, 4096, 16384, 65536)  # and further ones, for what needs a least length: sound
MOST = 2**26  # numbers in an input that is made up to try it


class LiteRtRunner:
    """A file loaded in the LiteRT interpreter, with XNNPACK as on a device.

    Args:
        path: the .tflite file; it is mapped into memory. Tensors are allocated at once if all shapes are static, else when
            it is run.
        threads: for one op.

    Attributes:
        inputs: names, shapes and dtypes in the order of the signature.
        outputs: likewise.
        remarks: in which interpreter a file with Flex ops runs; which inputs lose digits.

    Raises:
        InvalidArtifactError: if it is not such a file, or the interpreter refuses it.
        MissingRuntimeError: if it has Flex ops, and no interpreter here has the Flex delegate.
    """

    remarks: tuple[str, ...]
    arithmetic = TO_SINGLE

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        self.path = path
        found = inspect(path)
        self.inputs = found.inputs
        self.outputs = found.outputs
        self._dynamic = any(None in info.shape for info in self.inputs)
        self._allocated = not self._dynamic
        flex = found.facts["flex_ops"]
        try:
            self._interpreter = (with_flex if flex else _litert)(str(path), threads)
            if not self._dynamic:
                self._interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            if flex:
                raise without_flex(path, flex) from error
            raise InvalidArtifactError(
                "LiteRT does not load the file", where=str(path), reason=_first_line(error)
            ) from error
        self.remarks = (*([VERIFIED_WITH_FLEX] if flex else []), *_rounded(self.inputs))
        self._input_indices, self._output_indices = self._indices()

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the file once on `inputs`, by input name; return the outputs by output name.

        Dynamic dimensions take the sizes of the arrays.

        Raises:
            UsageError: if an input is missing, or its shape does not fit the file.
            InvalidArtifactError: if the interpreter refuses to run the file.
        """
        arrays = [fitting(info, inputs) for info in self.inputs]
        try:
            self._resize(arrays)
            for index, array in zip(self._input_indices, arrays, strict=True):
                self._interpreter.set_tensor(index, array)
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            raise InvalidArtifactError(
                "LiteRT does not run the file", where=str(self.path), reason=_first_line(error)
            ) from error
        results = [self._interpreter.get_tensor(index) for index in self._output_indices]
        return {info.name: result for info, result in zip(self.outputs, results, strict=True)}

    def try_allocation(self) -> None:
        """Allocate all tensors, dynamic dimensions at some plausible size.

        Raises:
            InvalidArtifactError: if the interpreter refuses every one of them.
        """
        reason = "its inputs are too large to try"
        for size in (*PLAUSIBLE, *LARGE) if self._dynamic else ():
            shapes = sized_shapes(self.inputs, size)
            if shapes is None:
                continue
            try:
                for index, shape in zip(self._input_indices, shapes, strict=True):
                    self._interpreter.resize_tensor_input(index, shape, strict=True)
                self._interpreter.allocate_tensors()
            except (RuntimeError, ValueError) as error:
                reason = _first_line(error)
            else:
                return
        if self._dynamic:
            raise InvalidArtifactError("LiteRT cannot allocate the file's tensors", where=str(self.path), reason=reason)

    def _indices(self) -> tuple[list[int], list[int]]:
        """Return the interpreter's own indices of the inputs and outputs, in the order of the signature."""
        signatures = self._interpreter.get_signature_list()
        if not signatures:
            return (
                [d["index"] for d in self._interpreter.get_input_details()],
                [d["index"] for d in self._interpreter.get_output_details()],
            )
        runner = self._interpreter.get_signature_runner(next(iter(signatures)))
        inputs, outputs = runner.get_input_details(), runner.get_output_details()
        return [inputs[i.name]["index"] for i in self.inputs], [outputs[o.name]["index"] for o in self.outputs]

    def _resize(self, arrays: list[np.ndarray]) -> None:
        current = {d["index"]: tuple(d["shape"]) for d in self._interpreter.get_input_details()}
        changed = [(i, a) for i, a in zip(self._input_indices, arrays, strict=True) if current[i] != a.shape]
        for index, array in changed:
            # Strictly, LiteRT 2.3 resizes a tensor of strings only once; `fitting` has checked the shape.
            self._interpreter.resize_tensor_input(index, array.shape)
        if changed or not self._allocated:
            self._interpreter.allocate_tensors()
            self._allocated = True


def _litert(path: str, threads: int) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(model_path=path, num_threads=threads)


def sized_shapes(inputs: Iterable[TensorInfo], size: int) -> list[tuple[int, ...]] | None:
    """Return the inputs' shapes with `size` in place of each dynamic dimension; None if an array would be huge."""
    shapes = [tuple(size if d is None else d for d in info.shape) for info in inputs]
    return shapes if max(map(math.prod, shapes), default=0) <= MOST else None


def allocated(body: bytes) -> bool:
    """Return whether the interpreter loads a file and allocates its tensors."""
    from ai_edge_litert.interpreter import Interpreter

    try:
        Interpreter(model_content=body, num_threads=1).allocate_tensors()
    except (RuntimeError, ValueError):
        return False
    return True


def fitting(info: TensorInfo, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the array for an input, contiguous and in its dtype.

    Raises:
        UsageError: if it is missing or has another shape.
    """
    if info.name not in inputs:
        raise UsageError("an input is missing", where=str(info), reason=f"given: {', '.join(map(repr, inputs))}")
    array = np.asarray(inputs[info.name])
    fits = len(array.shape) == len(info.shape) and all(
        expected in (None, actual) for expected, actual in zip(info.shape, array.shape, strict=True)
    )
    if not fits:
        raise UsageError("an input does not fit the file", where=str(info), reason=f"its shape is {array.shape}")
    if info.dtype == "string":
        return array.astype(np.bytes_) if array.dtype.kind == "U" else array
    return np.ascontiguousarray(array, dtype=info.dtype).reshape(array.shape)


def _rounded(inputs: Iterable[TensorInfo]) -> list[str]:
    """Say which inputs are rounded as they come in: samples of everyday size do not show it."""
    doubles = ", ".join(info.name for info in inputs if info.dtype == "float64")
    return [f"float64 inputs are rounded to float32, times in seconds to 128: {doubles}"] if doubles else []


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
