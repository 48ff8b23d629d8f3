"""Names that TensorFlow does not take: a SavedModel has them spelled in another way."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.inference import Inference
from exporter.capture.layer_scopes import scope_of
from exporter.capture.naming import identifiers
from exporter.checks import GRAPH
from exporter.spec import Options, Problem

SHOWN = 3  # names in a message


@GRAPH.register("spelling")
def spelling(inference: Inference, options: Options) -> Iterator[Problem]:
    """Find inputs whose names are no Python identifiers, and variables with other letters than TensorFlow saves."""
    names = [info.name for info in inference.inputs]
    if renamed := [(name, new) for name, new in zip(names, identifiers(names), strict=True) if name != new]:
        yield Problem(
            where=", ".join(f"input {name!r}" for name, _ in renamed),
            reason="a signature of TensorFlow takes Python identifiers only: in the SavedModel "
            + ", ".join(f"{name!r} is {new!r}" for name, new in renamed),
            remedy="call the SavedModel with these, or give the inputs other names; Keras's own stand in "
            "assets.extra/keras_exporter.json",
            formats=("saved_model",),
            severity="warning",
        )
    variables = [v.name.removesuffix(":0") for v in inference.concrete().graph.variables]
    if odd := [name for name in variables if scope_of(name) != name]:
        more = f" and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
        yield Problem(
            where=f"{', '.join(map(repr, odd[:SHOWN]))}{more}",
            reason="TensorFlow does not save variables of such names: in the SavedModel they are spelled in ASCII letters",
            remedy="Keras's own names stand in assets.extra/keras_exporter.json",
            formats=("saved_model",),
            severity="info",
        )
