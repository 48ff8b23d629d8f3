"""SavedModel: the plain inference function under the signature `serving_default`, its variables beside it.

TensorFlow holds the inputs of a signature by name, without an order, and admits only names that are Python identifiers, and
few characters in the names of variables. Other names are spelled with underscores; `assets.extra/keras_exporter.json` keeps
Keras's own, with the order of the inputs.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exporter.capture.inference import Inference
from exporter.capture.keras_patches import UNKNOWN_STEPS, patched
from exporter.capture.naming import identifiers
from exporter.errors import InvalidArtifactError, UnsupportedError
from exporter.formats import FORMATS
from exporter.formats.saved_model.contents import spelled_variables, tables_used_by
from exporter.formats.saved_model.process import shared
from exporter.formats.saved_model.runner import SavedModelRunner, opened_here, opened_in
from exporter.formats.saved_model.worker import SIGNATURE
from exporter.run.failures import message_of
from exporter.spec import Inspection, Options, TensorInfo

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
            UnsupportedError: if TensorFlow does not save the model: it computes with what no layer holds.
        """
        import tensorflow as tf

        shared()  # it imports TensorFlow meanwhile
        inputs = inference.inputs_for(options.batch)
        spelled = identifiers([i.name for i in inputs])
        outputs = [o.name for o in inference.outputs]

        def serve(*tensors: Any) -> dict[str, Any]:
            return dict(zip(outputs, (tf.identity(t) for t in inference(*tensors)), strict=True))

        module = tf.Module()
        specs = [tf.TensorSpec(i.shape, i.dtype, name=name) for i, name in zip(inputs, spelled, strict=True)]
        with patched(UNKNOWN_STEPS):
            module.serve = tf.function(serve, autograph=False).get_concrete_function(*specs)
        variables = list(module.serve.graph.variables)
        module.variables_used = variables  # what a module tracks is what is saved
        module.tables_used = tables_used_by(module.serve, inference.model)
        try:
            with spelled_variables(variables) as variable_names:
                tf.saved_model.save(module, str(path), signatures={SIGNATURE: module.serve})
        except (AssertionError, ValueError) as error:
            raise UnsupportedError(
                "TensorFlow cannot save the model",
                where=inference.model.name,
                reason=message_of(error),
                remedy="give what the reason names to the model as an attribute of a layer, or leave this format out",
            ) from error
        extra = {
            **metadata,
            "inputs": dict(zip(spelled, (i.name for i in inputs), strict=True)),
            "outputs": outputs,
            **({"variables": variable_names} if variable_names else {}),
        }
        (path / EXTRA).parent.mkdir(exist_ok=True)
        (path / EXTRA).write_text(json.dumps(extra, indent=1))

    def audit(self, path: Path) -> None:
        """Accept it: its parts are looked for in its own folder."""

    def open(self, path: Path, *, threads: int | None = None) -> SavedModelRunner:
        """Load the folder with `tf.saved_model.load`, in a process that has nothing of the one that wrote it.

        With `threads` it is loaded in this process, for times to be taken: TensorFlow takes that number only before it has
        run anything; later it is ignored.
        """
        if threads is None:
            return opened_in(shared(), path, _extra(path))
        import tensorflow as tf

        with contextlib.suppress(RuntimeError):
            tf.config.threading.set_intra_op_parallelism_threads(threads)
        return opened_here(path, _extra(path))

    def layer_probes(self, path: Path) -> None:
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
