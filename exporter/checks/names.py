"""Outputs that share a name with another output or an input: every file tells them apart by a number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from exporter.capture.naming import apart
from exporter.capture.signature import input_signature, output_names
from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem


@RULES.register("names")
def names(source: Source, options: Options) -> Iterator[Problem]:
    """Find output names that Keras gives to more than one output, or to an input too."""
    yield from _shared_with_inputs(source.model)
    keys = getattr(source.model, "_outputs_struct", None)
    if isinstance(keys, dict):
        return
    for name, count in Counter(getattr(source.model, "output_names", ())).items():
        if count > 1:
            numbered = ", ".join([name, *(f"{name}_{n}" for n in range(1, count))])
            yield Problem(
                where=name,
                reason=f"{count} outputs come from this layer and share its name; the files call them {numbered}",
                remedy='return a dict to name them: keras.Model(inputs, {"sequence": a, "state": b})',
                severity="warning",
            )


def _shared_with_inputs(model: Any) -> Iterator[Problem]:
    import keras

    structure = getattr(model, "_outputs_struct", None)
    if structure is None:
        return
    tensors = keras.tree.flatten(model._inputs_struct)
    inputs = {info.name: t for info, t in zip(input_signature(model).inputs, tensors, strict=True)}
    names = output_names(model, structure)
    for name, told in zip(names, apart(names, keras.tree.flatten(structure), inputs), strict=True):
        if name in inputs and told != name:
            yield Problem(
                where=name,
                reason=f"an input and an output have this name; the files call the output {told}",
                remedy="give the output, or the layer that makes it, another name",
                severity="warning",
            )
