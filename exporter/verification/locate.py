"""Find the first Keras layer that a file computes otherwise, by what each layer gives along the chain and on its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exporter.capture.auto_names import places
from exporter.capture.inference import Inference
from exporter.formats import LayerProbes, ProbedLayer
from exporter.spec import LayerParity, OutputParity
from exporter.verification.batches import batched, in_step, rows_of
from exporter.verification.compare import compare_expected
from exporter.verification.expectation import Expectation, expect
from exporter.verification.floats import dtype_name, is_inexact
from exporter.verification.layer_outputs import CallArrays, LayerOutputs
from exporter.verification.samples import Sample
from exporter.verification.tolerances import tolerance_for

ROWS = 64  # of a sample at the most: what every layer gives is held in memory
Arrays = tuple[np.ndarray, ...]


@dataclass(frozen=True)
class _Run:
    """One sample: its name, what each call takes and gives in Keras, and what it gives in the file, by the names there."""

    sample: str
    keras: Mapping[str, CallArrays]
    file: Mapping[str, Arrays]


def compare_layers(
    inference: Inference, layer_probes: LayerProbes, samples: Sequence[Sample]
) -> tuple[LayerParity, ...]:
    """Return how each call that the file tells about compares, in the order in which they end, by the model's names.

    The first one that differs along the chain is also run on its own, on what Keras gives it.

    Args:
        inference: the model.
        layer_probes: the file.
        samples: inputs; each call's figure is the worst over all that have rows.
    """
    keras = LayerOutputs(inference)
    fitted = [_fitted(s, inference, layer_probes.batch) for s in samples if rows_of(s.arrays, inference.inputs)]
    runs = [
        _Run(s.name, keras.run(s.arrays), layer_probes.run(_by_file(s.arrays, inference, layer_probes))) for s in fitted
    ]
    pairs = list(_paired(keras, layer_probes)) if runs else []
    results = [
        LayerParity(name, call.kind, _worst(_compared(name, runs, [run.file[call.name] for run in runs])))
        for name, call in pairs
    ]
    first = next((i for i, result in enumerate(results) if not result.ok), None)
    if first is not None:
        name, call = pairs[first]
        alone = [layer_probes.run_alone(call.name, run.keras[name].inputs) for run in runs]
        if all(found is not None for found in alone):
            results[first] = replace(results[first], alone=_worst(_compared(name, runs, alone)))
    return tuple(results)


def _paired(keras: LayerOutputs, layer_probes: LayerProbes) -> Iterator[tuple[str, ProbedLayer]]:
    """Yield the model's name of each call that the file tells about, and the call."""
    names = [call.name for call in keras.calls]
    known = dict(zip(places(names), names, strict=True))
    return ((known[call.place], call) for call in layer_probes.calls if call.place in known)


def _by_file(
    arrays: Mapping[str, np.ndarray], inference: Inference, layer_probes: LayerProbes
) -> dict[str, np.ndarray]:
    """Return the inputs by their names in the file."""
    return {name: arrays[info.name] for name, info in zip(layer_probes.inputs, inference.inputs, strict=True)}


def _fitted(sample: Sample, inference: Inference, batch: int | None) -> Sample:
    """Return the sample with as many rows as the file takes, at most `ROWS`; whole where the inputs have no rows in common."""
    if not in_step(sample.arrays, inference.inputs):
        return sample
    rows, cut = rows_of(sample.arrays, inference.inputs), batched(inference.inputs)
    index = np.arange(batch or min(rows, ROWS)) % rows
    return Sample(sample.name, {n: a[index] if n in cut else a for n, a in sample.arrays.items()})


def _compared(name: str, runs: Sequence[_Run], found: Sequence[Arrays | None]) -> Iterator[OutputParity]:
    """Compare every output of a call on every sample; Keras's relative error on one sample counts for the others too."""
    for number in range(len(runs[0].keras[name].outputs)):
        expected = [_expected(name, run.keras[name], number) for run in runs]
        relative = max((e.keras_error / e.scale for e in expected if e.scale), default=0.0)
        for run, wanted, arrays in zip(runs, expected, found, strict=True):
            value = _as((arrays or ())[number], wanted.keras)
            yield from compare_expected({name: value}, [_relaxed(wanted, relative)], run.sample)


def _expected(name: str, keras: CallArrays, number: int) -> Expectation:
    return expect(name, keras.outputs[number], None if keras.references is None else keras.references[number])


def _relaxed(expected: Expectation, relative: float) -> Expectation:
    """Return the expectation with Keras's error at least `relative` to the scale: one sample's error is a matter of luck."""
    rule = tolerance_for(expected.dtype)
    bound = rule.bound(max(expected.keras_error, relative * expected.scale), expected.scale)
    return replace(expected, bound=replace(expected.bound, tolerance=max(expected.tolerance, bound)))


def _as(value: np.ndarray, keras: np.ndarray) -> np.ndarray:
    """Return what the file holds in Keras's dtype: inside, narrow floats are float32, and sizes int64."""
    same_kind = is_inexact(value) == is_inexact(keras) and "string" not in (dtype_name(value), dtype_name(keras))
    return value.astype(keras.dtype) if same_kind else value


def _worst(parities: Iterator[OutputParity]) -> OutputParity:
    return max(parities, key=lambda p: (not p.ok, p.ratio))
