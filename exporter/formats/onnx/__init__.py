"""ONNX: written layer by layer from a trace of the model, run by ONNX Runtime.

trace -> lower -> optimize -> write; `docs/design/onnx.md` says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from exporter.capture.inference import Inference
from exporter.errors import InvalidArtifactError, LoadError, UnsafeFileError
from exporter.formats import FORMATS, LayerProbes
from exporter.formats.onnx.runner import OnnxRunner
from exporter.spec import Inspection, Options


class Onnx:
    """The Open Neural Network Exchange format."""

    name = "onnx"
    filename = "model.onnx"
    title = "ONNX"
    runtime = "ONNX Runtime"
    packages: tuple[str, ...] = ("tensorflow", "onnx", "onnx_ir", "onnxscript", "onnxruntime")

    def write(self, inference: Inference, path: Path, options: Options, metadata: Mapping[str, object]) -> None:
        """Write `path`, with `path`.data beside it when the weights exceed what one protobuf can hold."""
        from exporter.formats.onnx.build import build
        from exporter.formats.onnx.writer import write_model

        write_model(build(inference, options, metadata), path)

    def audit(self, path: Path) -> None:
        """Refuse external data anywhere but in plain files of the folder."""
        from exporter.loading.onnx_file import check_onnx_file

        try:
            check_onnx_file(path)
        except UnsafeFileError:
            raise
        except LoadError as error:
            raise InvalidArtifactError(
                "the ONNX file does not load", where=error.where, reason=error.reason, remedy=error.remedy
            ) from error

    def open(self, path: Path, *, threads: int | None = None) -> OnnxRunner:
        """Load the file in ONNX Runtime."""
        return OnnxRunner(path, threads=threads or 0)

    def layer_probes(self, path: Path) -> LayerProbes | None:
        """Load the file with the tensors of its layer map as outputs."""
        from exporter.formats.onnx.layer_probes import open_taps

        return open_taps(path)

    def inspect(self, path: Path) -> Inspection:
        """Read the graph and the metadata."""
        from exporter.formats.onnx.inspect import inspect_model

        return inspect_model(path)


FORMATS.register("onnx")(Onnx())
