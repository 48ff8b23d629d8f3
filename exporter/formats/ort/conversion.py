"""From an ONNX file to an ORT file, by ONNX Runtime itself."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

from exporter.errors import InvalidArtifactError

DEVICE_SPECIFIC = [
    "NchwcTransformer"
]  # lays images out for the CPU at hand; ONNX Runtime's own tool leaves it out, too


def convert(source: Path, path: Path) -> None:
    """Write `path`, the graph of `source` with every optimization that holds on any CPU.

    Raises:
        InvalidArtifactError: if ONNX Runtime refuses the file.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.optimized_model_filepath = str(path)
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.save_model_format", "ORT")
    try:
        ort.InferenceSession(
            str(source), options, providers=["CPUExecutionProvider"], disabled_optimizers=DEVICE_SPECIFIC
        )
    except Exception as error:  # ONNX Runtime's exceptions share no base of their own
        raise InvalidArtifactError(
            "ONNX Runtime cannot write the ORT file", where=str(path), reason=str(error)
        ) from error


def write_operators(path: Path) -> None:
    """Write the operators and types that the file at `path` needs, a line for each domain and opset, beside it."""
    from onnxruntime.tools.ort_format_model import create_config_from_models

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # ONNX Runtime 1.32 leaves the file to the garbage collector
        config = Path(folder) / "operators.config"
        create_config_from_models([path], config, enable_type_reduction=True)
        lines = config.read_text().splitlines()
    needed = [line for line in lines if line and not line.startswith("#")]  # the comments tell where the file was made
    path.with_name(f"{path.stem}.required_operators.config").write_text("\n".join([f"# {path.name}", *needed]) + "\n")
