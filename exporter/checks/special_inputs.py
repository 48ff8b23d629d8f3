"""Inputs that are ragged or sparse tensors in Keras: the files take dense ones."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.source import Source
from exporter.checks import RULES
from exporter.spec import Options, Problem


@RULES.register("special inputs")
def special_inputs(source: Source, options: Options) -> Iterator[Problem]:
    """Find inputs of a Functional model that were declared with ragged=True or sparse=True."""
    for tensor in getattr(source.model, "inputs", None) or ():
        if getattr(tensor, "ragged", False):
            yield Problem(
                where=f"input {tensor.name!r}",
                reason="it is ragged, and the files take dense tensors only: on rows that are filled up they compute something "
                "else",
                remedy="build the model on padded rows, keras.Input((None,)), and tell it which entries count, with "
                "Embedding(mask_zero=True), Masking or a mask as a second input",
            )
        elif getattr(tensor, "sparse", False):
            yield Problem(
                where=f"input {tensor.name!r}",
                reason="it is sparse, and the files take it as a dense tensor",
                remedy="feed the files what tf.sparse.to_dense gives",
                severity="warning",
            )
