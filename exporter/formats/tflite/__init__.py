"""TFLite: one flatbuffer of builtin ops, run by LiteRT on phones, boards and browsers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import InvalidArtifactError, UnsupportedError
from exporter.formats import FORMATS
from exporter.spec import Inspection, Options, TensorInfo

if TYPE_CHECKING:
    from exporter.capture.inference import Inference
    from exporter.formats.tflite.runner import LiteRtRunner


class Tflite:
    """Files that the plain LiteRT interpreter runs: no Flex op unless asked for, no custom op, no resource variable."""

    name = "tflite"
    filename = "model.tflite"
    title = "TFLite"
    runtime = "LiteRT"
    packages: tuple[str, ...] = ("tensorflow", "ai_edge_litert", "flatbuffers")

    def write(self, inference: Inference, path: Path, options: Options, metadata: Mapping[str, object]) -> None:
        """Convert `inference` and write it to `path`, with `metadata` in the file, and labels of it also behind the file.

        The file counts only once the interpreter has loaded it and allocated its tensors.

        Raises:
            UnsupportedError: if a layer or op cannot be composed of builtin ops, or the interpreter refuses its node; `where`
                names the layer. Also if it can only where dynamic dimensions have sizes; `where` names the inputs.
            InvalidArtifactError: if the interpreter refuses the file without naming a node.
            MissingRuntimeError: if the file has Flex ops, is to be verified, and no interpreter here has the Flex delegate.
        """
        from exporter.formats.tflite.attachment import attach
        from exporter.formats.tflite.build import convert
        from exporter.formats.tflite.dynamic_sizes import asking_for_sizes
        from exporter.formats.tflite.layer_map import naming_layers
        from exporter.formats.tflite.writer import write_enveloped

        inputs = inference.inputs_for(options.batch_of(self.name))
        names = [info.name for info in inputs]
        outputs = [info.name for info in inference.outputs]
        try:
            write_enveloped(path, convert(inference, inputs, allow_flex=options.allow_flex), names, outputs, metadata)
            labels = metadata.get("labels")
            if isinstance(labels, list):
                attach(path, {"labels.txt": "".join(f"{label}\n" for label in labels)})
            if options.verify or not self.inspect(path).facts["flex_ops"]:
                self._try(path, inference, inputs)
        except (UnsupportedError, InvalidArtifactError) as error:
            named = naming_layers(error, path, inference.model) if isinstance(error, InvalidArtifactError) else error
            path.unlink(missing_ok=True)
            raise asking_for_sizes(named, inference, inputs) from error

    def _try(self, path: Path, inference: Inference, inputs: Sequence[TensorInfo]) -> None:
        """Load a file and allocate its tensors, dynamic dimensions at sizes that Keras takes.

        Raises:
            InvalidArtifactError: if the interpreter refuses it.
        """
        from exporter.formats.tflite.dynamic_sizes import keras_takes_none
        from exporter.formats.tflite.runner import LiteRtRunner

        runner = LiteRtRunner(path)
        try:
            runner.try_allocation()
        except InvalidArtifactError:
            if not keras_takes_none(inference, inputs):
                raise

    def audit(self, path: Path) -> None:
        """Accept it: all of it lies in one file."""

    def open(self, path: Path, *, threads: int | None = None) -> LiteRtRunner:
        """Load the file in the LiteRT interpreter.

        Raises:
            InvalidArtifactError: if the interpreter refuses it.
            MissingRuntimeError: if the file has Flex ops, and no interpreter here has the Flex delegate.
        """
        from exporter.formats.tflite.runner import LiteRtRunner

        return LiteRtRunner(path, threads=threads or 1)

    def layer_probes(self, path: Path) -> None:
        """Return None: the file does not say which tensors belong to which layer."""

    def inspect(self, path: Path) -> Inspection:
        """Read ops, signature, minimum runtime and metadata from the file, without any runtime.

        Raises:
            InvalidArtifactError: if it is not a TFLite file.
        """
        from exporter.formats.tflite.inspect import inspect

        return inspect(path)


FORMATS.register("tflite")(Tflite())
