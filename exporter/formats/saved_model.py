"""SavedModel: the plain inference function under the signature `serving_default`, its variables beside it.

TensorFlow holds the inputs of a signature by name, without an order, and admits only names that are Python identifiers.
Other names are spelled with underscores; `assets.extra/keras_exporter.json` keeps Keras's own, with their order.
"""

from __future__ import annotations

import contextlib
import json
import keyword
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from exporter.corrections import corrected
from exporter.errors import InvalidArtifactError, UnsupportedError
from exporter.failures import message_of
from exporter.formats import FORMATS
from exporter.freeze import Inference
from exporter.signature import unique
from exporter.spec import Inspection, Options, TensorInfo

SIGNATURE = "serving_default"
EXTRA = Path("assets.extra") / "keras_exporter.json"


class SavedModel:
    """TensorFlow's own format, for TensorFlow Serving and for `tf.saved_model.load`."""

    name = "saved_model"
    filename = "saved_model"
    title = "SavedModel"
    runtime = "TensorFlow"
    packages: tuple[str, ...] = ("tensorflow",)

    def write(self, inference: Inference, path: Path, options: Options, metadata: Mapping[str, object]) -> None:
        """Write the folder `path`; its variables are the model's, read from them once.

        Raises:
            UnsupportedError: if TensorFlow does not save the model: it allows few characters in the names of variables.
        """
        import tensorflow as tf

        inputs = inference.inputs_for(options.batch)
        spelled = unique([identifier(i.name) for i in inputs])
        outputs = [o.name for o in inference.outputs]

        def serve(*tensors: Any) -> dict[str, Any]:
            return dict(zip(outputs, (tf.identity(t) for t in inference(*tensors)), strict=True))

        module = tf.Module()
        specs = [tf.TensorSpec(i.shape, i.dtype, name=name) for i, name in zip(inputs, spelled, strict=True)]
        with corrected():
            module.serve = tf.function(serve, autograph=False).get_concrete_function(*specs)
        module.variables_used = list(module.serve.graph.variables)  # what a module tracks is what is saved
        module.tables_used = _tables(inference.model)
        try:
            tf.saved_model.save(module, str(path), signatures={SIGNATURE: module.serve})
        except ValueError as error:
            raise UnsupportedError(
                "TensorFlow cannot save the model",
                where=inference.model.name,
                reason=message_of(error),
                remedy="where a name is not allowed, build the model with another name for the layer, or leave this format out",
            ) from error
        extra = {
            **metadata,
            "inputs": dict(zip(spelled, (i.name for i in inputs), strict=True)),
            "outputs": outputs,
        }
        (path / EXTRA).parent.mkdir(exist_ok=True)
        (path / EXTRA).write_text(json.dumps(extra, indent=1))

    def audit(self, path: Path) -> None:
        """Accept it: its parts are looked for in its own folder."""

    def open(self, path: Path, *, threads: int | None = None) -> SavedModelRunner:
        """Load the folder with `tf.saved_model.load`.

        TensorFlow takes a number of threads only before it has run anything in the process; later it is ignored.
        """
        import tensorflow as tf

        if threads is not None:
            with contextlib.suppress(RuntimeError):
                tf.config.threading.set_intra_op_parallelism_threads(threads)
        try:
            return SavedModelRunner(tf.saved_model.load(str(path)), _extra(path))
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise InvalidArtifactError(
                "TensorFlow cannot load the SavedModel", where=str(path), reason=str(error)
            ) from error

    def taps(self, path: Path) -> None:
        """Return None: the file does not say which tensors belong to which layer."""

    def inspect(self, path: Path) -> Inspection:
        """Read the signature and the graph from the protobuf, without loading the program."""
        from tensorflow.core.protobuf.saved_model_pb2 import SavedModel as Proto

        try:
            meta = Proto.FromString((path / "saved_model.pb").read_bytes()).meta_graphs[0]
            signature = meta.signature_def[SIGNATURE]
        except Exception as error:  # protobuf raises its own DecodeError, which has no stable home
            raise InvalidArtifactError("not a SavedModel", where=str(path), reason=str(error)) from error
        extra = _extra(path)
        names = {**{key: key for key in sorted(signature.inputs)}, **extra.get("inputs", {})}
        order = list(extra.get("inputs", names))
        inputs = tuple(_info(names[key], signature.inputs[key]) for key in order)
        outputs = tuple(_info(k, signature.outputs[k]) for k in extra.get("outputs", sorted(signature.outputs)))
        ops = Counter(n.op for f in meta.graph_def.library.function for n in f.node_def)
        size = sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
        facts = {"tensorflow": meta.meta_info_def.tensorflow_version, "signature": SIGNATURE}
        return Inspection(self.name, inputs, outputs, dict(ops.most_common()), size, facts, extra)


FORMATS.register("saved_model")(SavedModel())


class SavedModelRunner:
    """A SavedModel in TensorFlow, called through its signature."""

    remarks: tuple[str, ...] = ()
    arithmetic: Mapping[str, str] = MappingProxyType({})  # TensorFlow computes as Keras does

    def __init__(self, loaded: Any, extra: Mapping[str, Any]) -> None:
        self._loaded = loaded  # the signature holds its variables weakly
        self._signature = loaded.signatures[SIGNATURE]
        specs = self._signature.structured_input_signature[1]
        keras_names = extra.get("inputs", {name: name for name in sorted(specs)})
        self._spelled = {keras_name: name for name, keras_name in keras_names.items()}
        self.inputs = tuple(_spec_info(name, specs[self._spelled[name]]) for name in keras_names.values())
        outputs = self._signature.structured_outputs
        self.outputs = tuple(_spec_info(name, outputs[name]) for name in extra.get("outputs", sorted(outputs)))

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the signature once."""
        import tensorflow as tf

        tensors = {self._spelled[i.name]: tf.constant(inputs[i.name], dtype=i.dtype) for i in self.inputs}
        try:
            results = self._signature(**tensors)
        except tf.errors.OpError as error:
            raise InvalidArtifactError("TensorFlow cannot run the SavedModel", reason=error.message) from error
        return {o.name: results[o.name].numpy() for o in self.outputs}


def _tables(model: Any) -> list[Any]:
    """Return the lookup tables that the model's layers hold."""
    import tensorflow as tf
    from tensorflow.saved_model.experimental import TrackableResource

    return [t for t in tf.train.TrackableView(model).descendants() if isinstance(t, TrackableResource)]


def identifier(name: str) -> str:
    """Spell a name so that TensorFlow takes it as an argument of a signature."""
    spelled = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not spelled or spelled[0].isdigit() or keyword.iskeyword(spelled):
        spelled = f"arg_{spelled}"
    return spelled


def _extra(path: Path) -> dict[str, Any]:
    file = path / EXTRA
    return json.loads(file.read_text()) if file.is_file() else {}


def _info(name: str, proto: Any) -> TensorInfo:
    import tensorflow as tf

    shape = (
        ()
        if proto.tensor_shape.unknown_rank
        else tuple(d.size if d.size >= 0 else None for d in proto.tensor_shape.dim)
    )
    return TensorInfo(name, shape, tf.as_dtype(proto.dtype).name)


def _spec_info(name: str, spec: Any) -> TensorInfo:
    return TensorInfo(name, tuple(spec.shape.as_list()) if spec.shape.rank is not None else (), spec.dtype.name)
