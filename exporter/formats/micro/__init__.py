"""TFLite for microcontrollers: the model as a C array, the ops for the resolver, the size of the arena.

The array holds the TFLite file without our metadata, which would take flash. What is run and compared is the array itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from exporter.errors import InvalidArtifactError, MissingRuntimeError, UnsupportedError
from exporter.formats import FORMATS
from exporter.spec import Inspection, Options

if TYPE_CHECKING:
    from exporter.capture.inference import Inference
    from exporter.formats.micro.runner import MicroRunner

NOT_MEASURED = "the size of the arena was not measured: that takes tflite-micro (pip install 'keras-exporter[micro]')"


class Micro:
    """C++ sources for TensorFlow Lite Micro: model_data.cc and model_data.h."""

    name = "micro"
    filename = "model_data.cc"
    title = "TFLite Micro"
    runtime = "TensorFlow Lite Micro"
    packages: tuple[str, ...] = ("tensorflow", "ai_edge_litert", "flatbuffers")

    def write(self, inference: Inference, path: Path, options: Options, metadata: Mapping[str, object]) -> None:
        """Convert `inference`, write the array to `path` and what a program needs beside it to the header of the same name.

        Raises:
            UnsupportedError: if a layer or op has no kernel on microcontrollers, or a size is dynamic.
            InvalidArtifactError: if what was written is not valid.
        """
        from exporter.capture.patching import overridden
        from exporter.formats.micro import lowerings
        from exporter.formats.micro.resolver import method_of
        from exporter.formats.micro.runner import measured_arena
        from exporter.formats.micro.selection import with_select_v2
        from exporter.formats.micro.sources import write_sources
        from exporter.formats.tflite import Tflite

        del metadata
        _refuse_dynamic(inference, options)
        inference.concrete()  # kept by it, and so not to be traced with replacements
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder) / "model.tflite"
            tflite = Tflite()
            with overridden({}, lowerings.functions()):
                tflite.write(inference, model, replace(options, allow_flex=False), {})
            model.write_bytes(with_select_v2(model.read_bytes()))
            methods = {op: method_of(op) for op in tflite.inspect(model).ops}
            arena = measured_arena(model) if has_runtime() else None
            write_sources(path, model.read_bytes(), sorted(methods.values()), arena)

    def audit(self, path: Path) -> None:
        """Accept it: the array is read as text."""

    def open(self, path: Path, *, threads: int | None = None) -> MicroRunner:
        """Run the array in a source file in TensorFlow Lite Micro's interpreter, which has one thread.

        Raises:
            InvalidArtifactError: if the interpreter refuses it.
            MissingRuntimeError: if tflite-micro is not installed.
        """
        from exporter.formats.micro.runner import MicroRunner

        del threads
        if not has_runtime():
            raise MissingRuntimeError(
                "the sources for microcontrollers cannot be run here, so not verified",
                where=path.name,
                reason="the package tflite-micro is not installed",
                remedy="pip install 'keras-exporter[micro]', or write them unverified (--no-verify)",
            )
        with _model_of(path) as model:
            return MicroRunner(model)

    def layer_probes(self, path: Path) -> None:
        """Return None: the file does not say which tensors belong to which layer."""

    def inspect(self, path: Path) -> Inspection:
        """Read the array and the header. `facts` holds "flash_bytes", "arena_bytes" (None: not measured) and "resolver".

        Raises:
            InvalidArtifactError: if there is no model in it.
        """
        from exporter.formats.micro.sources import header_of, read_header
        from exporter.formats.tflite import Tflite

        with _model_of(path) as model:
            found, flash = Tflite().inspect(model), model.stat().st_size
        methods, arena = read_header(header_of(path))
        facts = {"flash_bytes": flash, "arena_bytes": arena, "resolver": methods}
        return replace(
            found,
            format=self.name,
            size=path.stat().st_size + header_of(path).stat().st_size,
            facts={**facts, **({} if arena else {"remarks": [NOT_MEASURED]})},
        )


def has_runtime() -> bool:
    """Return whether tflite-micro is installed."""
    return find_spec("tflite_micro") is not None


@contextmanager
def _model_of(path: Path) -> Iterator[Path]:
    """Give the array of a source file as a TFLite file, for as long as the context lasts."""
    from exporter.formats.micro.sources import read_array

    try:
        content = read_array(path)
    except (OSError, ValueError) as error:
        raise InvalidArtifactError("not the source of a model", where=str(path), reason=str(error)) from error
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model.tflite"
        model.write_bytes(content)
        yield model


def _refuse_dynamic(inference: Inference, options: Options) -> None:
    for info in inference.inputs_for(options.batch_of("micro")):
        if None in info.shape:
            raise UnsupportedError(
                "a microcontroller needs to know the sizes of an input",
                where=str(info),
                reason="its memory is laid out once, before the first run",
                remedy=f"give sizes for '?': --tflite-batch 1, --shape {info.name}=…",
            )


FORMATS.register("micro")(Micro())
