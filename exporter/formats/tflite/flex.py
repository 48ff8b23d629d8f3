"""Flex ops: TensorFlow's own kernels in a TFLite file, for those who ask for them; what they cost, and where they can run.

Neither ai-edge-litert 2.3 nor TensorFlow 2.21's own interpreter has the Flex delegate; some builds of TensorFlow have.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exporter.errors import MissingRuntimeError

VERIFIED_WITH_FLEX = "verified in TensorFlow's own interpreter with the Flex delegate, not in LiteRT"


def cost_of_flex(ops: Sequence[str]) -> str:
    """Return what a device has to have for such a file."""
    return (
        f"it needs the Flex delegate for {', '.join(ops)}: a library of tens of megabytes on the device, none on"
        " microcontrollers and in browsers, and no accelerator runs these ops"
    )


def with_flex(path: str, threads: int) -> Any:
    """Return TensorFlow's own interpreter of a file, the only one that can have the Flex delegate."""
    from tensorflow.lite.python.interpreter import Interpreter

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow tells everybody to use LiteRT, which has no Flex delegate
        return Interpreter(model_path=path, num_threads=threads)


def without_flex(path: Path, ops: Sequence[str]) -> MissingRuntimeError:
    """Return the error to raise where a file with Flex ops cannot be run."""
    return MissingRuntimeError(
        "the TFLite file cannot be run here, so not verified",
        where=path.name,
        reason=f"neither LiteRT nor TensorFlow's interpreter has the Flex delegate here, which runs {', '.join(ops)}",
        remedy="write the file unverified (--no-verify, or verify=False), and test it on the device",
    )
