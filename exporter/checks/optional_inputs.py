"""Optional tensors of a subclassed model that the files leave out, because it was built without them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from exporter.capture.inference import Inference
from exporter.checks import GRAPH
from exporter.spec import Options, Problem

NO_TENSORS = ("mask", "training")


@GRAPH.register("optional inputs")
def optional_inputs(inference: Inference, options: Options) -> Iterator[Problem]:
    """Find arguments of `call` whose default is None and that are not among the inputs."""
    model = inference.model
    if hasattr(model, "_inputs_struct") or hasattr(
        model, "_functional"
    ):  # Functional and Sequential declare their inputs
        return
    for name, parameter in inspect.signature(model.call).parameters.items():
        if parameter.default is None and name not in (*inference.arguments, *NO_TENSORS):
            yield Problem(
                where=f"{type(model).__name__}.call({name}=None)",
                reason="the model was built without it, so the files do not take it",
                remedy=f'if it is a tensor that they should take, say so: --input "{name}=int32[?,128]" (in Python: '
                f'input_signature={{"{name}": TensorInfo("{name}", (None, 128), "int32")}}, from exporter.spec)',
                severity="info",
            )
