"""An ONNX file in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exporter.errors import InvalidArtifactError
from exporter.spec import TensorInfo
from exporter.tfgraph.precision import SINGLE

PRODUCER = "keras-exporter"
DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}


class OnnxRunner:
    """A session of ONNX Runtime on the CPU.

    Args:
        path: the file.
        threads: for one op; 0: as many as there are cores.
        optimized: whether ONNX Runtime may rewrite the graph.

    Raises:
        InvalidArtifactError: if ONNX Runtime refuses the file.
    """

    remarks: tuple[str, ...] = ()

    def __init__(self, path: Path, *, threads: int = 0, optimized: bool = True) -> None:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        if not optimized:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        try:
            self._session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise InvalidArtifactError(
                "ONNX Runtime cannot load the file", where=str(path), reason=str(error)
            ) from error
        ours = self._session.get_modelmeta().producer_name == PRODUCER
        # Our writer makes float32 of 16-bit floats; other tools leave them, and ONNX Runtime rounds as Keras does.
        self.arithmetic: Mapping[str, str] = SINGLE if ours else {}
        self.inputs = tuple(_info(i) for i in self._session.get_inputs())
        self.outputs = tuple(_info(o) for o in self._session.get_outputs())

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the file once."""
        fed = {i.name: _fed(inputs[i.name], i.dtype) for i in self.inputs}
        try:
            results = self._session.run(None, fed)
        except Exception as error:  # as above
            raise InvalidArtifactError("ONNX Runtime cannot run the file", reason=str(error)) from error
        return {o.name: np.asarray(r) for o, r in zip(self.outputs, results, strict=True)}


def _fed(array: np.ndarray, dtype: str) -> np.ndarray:
    return array.astype(object) if dtype == "string" else np.asarray(array, dtype=dtype)


def _info(tensor: Any) -> TensorInfo:
    kind = DTYPES.get(tensor.type, tensor.type.removeprefix("tensor(").removesuffix(")"))
    return TensorInfo(tensor.name, tuple(d if isinstance(d, int) else None for d in tensor.shape), kind)
