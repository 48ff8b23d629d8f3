"""An ONNX file run with a look inside: what each call of a Keras layer gives, along the chain or on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir

from exporter.errors import InvalidArtifactError
from exporter.formats import ProbedLayer
from exporter.formats.onnx import layer_map
from exporter.formats.onnx.layer_map import MappedCall

EXTERNAL_FOLDER = "session.model_external_initializers_file_folder_path"  # ONNX Runtime's option for models in memory

Arrays = tuple[np.ndarray, ...]


class OnnxTaps:
    """A file whose mapped tensors can be read.

    Args:
        path: the file.
        calls: its map.

    Attributes:
        inputs: names of the file's inputs, in order.
        calls: the calls of layers that the file tells about, in order.
        batch: the number of rows that the file takes; None if that is dynamic.

    Raises:
        InvalidArtifactError: if ONNX Runtime refuses the file.
    """

    def __init__(self, path: Path, calls: Sequence[MappedCall]) -> None:
        self._path = path
        self._calls = {call.name: call for call in calls}
        self.calls = tuple(ProbedLayer(call.name, call.kind, call.place) for call in calls)
        proto = onnx.load(path, load_external_data=False)
        sizes = [value.type.tensor_type.shape.dim[:1] for value in proto.graph.input]
        self.batch: int | None = next((d.dim_value for dims in sizes for d in dims if d.dim_value), None)
        self.inputs = tuple(value.name for value in proto.graph.input)
        known = {*self.inputs, *(value.name for value in proto.graph.output)}
        inner = {place.name for call in calls for place in call.outputs} - known
        proto.graph.output.extend(onnx.ValueInfoProto(name=name) for name in sorted(inner))
        self._session = _session(proto, path)

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, Arrays]:
        """Run the file on `inputs`, by input name; return what each call gives, in Keras's axis order."""
        names = [value.name for value in self._session.get_outputs()]
        try:
            results = self._session.run(names, {name: a for name, a in inputs.items() if name in self.inputs})
        except Exception as error:  # ONNX Runtime's exceptions share no base of their own
            raise InvalidArtifactError("ONNX Runtime cannot run the file", reason=str(error)) from error
        found = {**inputs, **dict(zip(names, results, strict=True))}
        return {
            name: tuple(place.to_keras(found[place.name]) for place in call.outputs)
            for name, call in self._calls.items()
        }

    def _part(self, name: str, inputs: Arrays) -> tuple[onnx.ModelProto, dict[str, np.ndarray]] | None:
        """Return the nodes of one call as a model of their own, and what to feed it with.

        None if the nodes need more than what the layer takes: a size of the model's input, say.
        """
        call = self._calls[name]
        if len(call.inputs) != len(inputs):
            return None
        model = ir.load(self._path)
        try:
            graph = ir.convenience.extract(
                model.graph, list(dict.fromkeys(p.name for p in call.inputs)), [p.name for p in call.outputs]
            )
        except ValueError:
            return None
        graph.name = name
        graph.opset_imports.update(model.graph.opset_imports)
        dtypes = {value.name: value.dtype.numpy() for value in graph.inputs if value.dtype is not None}
        fed = {
            place.name: place.to_file(array).astype(dtypes[place.name])
            for place, array in zip(call.inputs, inputs, strict=True)
        }
        return ir.to_proto(ir.Model(graph, ir_version=model.ir_version)), fed

    def run_alone(self, name: str, inputs: Arrays) -> Arrays | None:
        """Run the nodes of one call on `inputs`, in Keras's axis order; None where they cannot be run alone."""
        part = self._part(name, inputs)
        if part is None:
            return None
        model, fed = part
        places = self._calls[name].outputs
        try:
            session = _session(model, None)
            results = session.run([place.name for place in places], fed)
        except Exception:  # as above; what cannot be run alone is compared along the chain only
            return None
        return tuple(place.to_keras(array) for array, place in zip(results, places, strict=True))


def open_taps(path: Path) -> OnnxTaps | None:
    """Open a file with a look inside; None if it holds no map.

    Raises:
        InvalidArtifactError: if it is not an ONNX file, or ONNX Runtime refuses it.
    """
    try:
        calls = layer_map.read(path)
    except Exception as error:  # protobuf's DecodeError has no stable home
        raise InvalidArtifactError("not an ONNX file", where=str(path), reason=str(error)) from error
    return OnnxTaps(path, calls) if calls else None


def _session(proto: onnx.ModelProto, path: Path | None) -> Any:
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    if path is not None:
        options.add_session_config_entry(EXTERNAL_FOLDER, str(path.resolve().parent))
    try:
        return ort.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # as above
        raise InvalidArtifactError("ONNX Runtime cannot load the file", where=str(path), reason=str(error)) from error
