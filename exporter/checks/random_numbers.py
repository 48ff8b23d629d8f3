"""Random numbers drawn at inference: no file gives the same twice, and none can be compared."""

from __future__ import annotations

from collections.abc import Iterator

from exporter.capture.inference import Inference
from exporter.capture.layer_scopes import layer_of
from exporter.checks import GRAPH
from exporter.checks._graph import Operation, operations, variable_of
from exporter.spec import Options, Problem

SEEDS = "seed_generator_state"  # Keras's name of the variable that a SeedGenerator counts in
OPS = frozenset(
    {
        "Multinomial",
        "NonDeterministicInts",
        "ParameterizedTruncatedNormal",
        "RandomCrop",
        "RandomGamma",
        "RandomPoisson",
        "RandomPoissonV2",
        "RandomShuffle",
        "RandomStandardNormal",
        "RandomUniform",
        "RandomUniformInt",
        "RngReadAndSkip",
        "SampleDistortedBoundingBox",
        "SampleDistortedBoundingBoxV2",
        "StatefulRandomBinomial",
        "StatefulStandardNormal",
        "StatefulStandardNormalV2",
        "StatefulTruncatedNormal",
        "StatefulUniform",
        "StatefulUniformFullInt",
        "StatefulUniformInt",
        "TruncatedNormal",
    }
)


@GRAPH.register("random numbers")
def random_numbers(inference: Inference, options: Options) -> Iterator[Problem]:
    """Find layers whose outputs depend on numbers that are drawn again at each call; a fixed seed gives constants."""
    layers = {layer_of(op.name, inference.model) for op in operations(inference) if draws(op, inference)}
    for layer in sorted(layers):
        yield Problem(
            where=f"layer {layer!r}",
            reason="it draws random numbers at inference, so that no file can be held against Keras",
            remedy="return the mean unless training, as in `if not training: return mean`, or make the noise an input "
            "of the model",
        )


def draws(op: Operation, inference: Inference) -> bool:
    """Whether an op draws random numbers for the outputs, or counts a seed that they depend on."""
    if op.needed and op.types & OPS:
        return True
    return any(_is_seed(inference, resource) for resource in op.written)


def _is_seed(inference: Inference, resource: object) -> bool:
    variable = variable_of(inference, resource)
    return variable is not None and SEEDS in variable.name
