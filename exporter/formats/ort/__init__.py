"""ORT: ONNX Runtime's own file of a graph that it has optimized already, and the list of operators that it needs.

A runtime built for that list alone is a fraction of the usual size: `build.sh --minimal_build --include_ops_by_config`
takes `model.required_operators.config`. The graph is the one of the ONNX file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

from exporter.capture.inference import Inference
from exporter.errors import UnsupportedError
from exporter.formats import FORMATS
from exporter.formats.onnx.runner import OnnxRunner
from exporter.spec import Inspection, Options


class Ort:
    """The format of ONNX Runtime for devices."""

    name = "ort"
    filename = "model.ort"
    title = "ORT"
    runtime = "ONNX Runtime"
    packages: tuple[str, ...] = ("tensorflow", "onnx", "onnx_ir", "onnxscript", "onnxruntime", "flatbuffers")

    def write(self, inference: Inference, path: Path, options: Options, metadata: Mapping[str, object]) -> None:
        """Write `path`, and beside it the operators that it needs.

        Raises:
            UnsupportedError: also if the weights exceed what one file of this format can hold.
        """
        from exporter.formats.onnx.build import build
        from exporter.formats.onnx.writer import write_model
        from exporter.formats.ort.conversion import convert, write_operators
        from exporter.formats.ort.ordering import put_in_order

        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            source = Path(folder) / "model.onnx"
            write_model(build(inference, options, metadata), source)
            if source.with_name("model.onnx.data").exists():
                raise UnsupportedError(
                    "the model is too large for the ORT format",
                    where=inference.model.name,
                    reason="one file holds at most 2 GiB",
                    remedy="take the ONNX file, which keeps its weights in a file of their own",
                )
            convert(source, path)
        put_in_order(path)
        write_operators(path)

    def audit(self, path: Path) -> None:
        """Accept it: all of it lies in one file."""

    def open(self, path: Path, *, threads: int | None = None) -> OnnxRunner:
        """Load the file in ONNX Runtime."""
        return OnnxRunner(path, threads=threads or 0)

    def layer_probes(self, path: Path) -> None:
        """Return None: optimizing joins the tensors of layers."""

    def inspect(self, path: Path) -> Inspection:
        """Read the graph and the metadata."""
        from exporter.formats.ort.inspect import inspect_model

        return inspect_model(path)


FORMATS.register("ort")(Ort())
