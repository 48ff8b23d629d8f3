"""Seeded inputs of many kinds and batch sizes, and the user's own data in the same form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from exporter.capture.inference import Inference
from exporter.capture.leading_dimensions import free_inputs
from exporter.capture.signature import by_input
from exporter.capture.state import ModelState
from exporter.errors import UsageError
from exporter.run.failures import message_of
from exporter.spec import Batch, TensorInfo
from exporter.verification.batches import batched, fixed_batch, in_step, rows_of
from exporter.verification.cases import planned
from exporter.verification.shapes import usable_shapes
from exporter.verification.values import ValueMaker, numpy_dtype


@dataclass(frozen=True)
class Sample:
    """Inputs for one call of the model.

    Args:
        name: the kind of values and the batch size ("normal, batch 3").
        arrays: by input name, in the inputs' dtypes; strings are object arrays of str.
    """

    name: str
    arrays: Mapping[str, np.ndarray]

    @property
    def kind(self) -> str:
        """The kind of values, without the batch size."""
        return self.name.split(",")[0]


class Samples(tuple[Sample, ...]):
    """A tuple of samples that remembers what was left out, and why.

    Attributes:
        notes: one sentence per sample that Keras itself cannot compute.
    """

    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, samples: Iterable[Sample], notes: Iterable[str]) -> Samples:
        """Return the samples with the notes."""
        new = cls(samples)
        new.notes = tuple(notes)
        return new


def make_samples(
    inference: Inference, batch: Batch = "dynamic", seed: int = 0, *, own: Sample | None = None
) -> Samples:
    """Return seeded samples for a model.

    With a dynamic batch the sizes are 0, 1, 2, 3, 7, 17, 64 and 200, spread over the kinds of values (`values.KINDS`); with
    a fixed one every sample has that size. Inputs of independent sizes get unequal ones in every other sample. Other dynamic
    dimensions get two sizes that the model accepts. The number of rows shrinks as the model grows: `plan.affordable`.
    `cases.planned` adds what only some models need: every row of a table, the greatest length.

    Args:
        inference: the model.
        batch: what the files are written for.
        seed: equal seeds give equal samples.
        own: the user's own data: its sizes are tried, and where Keras fails on all that is made up, its rows are taken.

    Raises:
        UsageError: if Keras itself fails on all of them, and there is no data of the user's own; the message asks for it.
    """
    inputs = inference.inputs_for(batch)
    try:
        shapes = usable_shapes(inference, inputs, None if own is None else {n: a.shape for n, a in own.arrays.items()})
    except UsageError as error:
        if own is None:
            raise
        return _of_own_rows(inference, inputs, own, [f"no samples were made up: {error.reason}"])
    maker = ValueMaker(inference, seed)
    cases = planned(inference, inputs, shapes, maker.domains)
    tried = _Trial(inference)
    for case in cases:
        tried.add(case.name, partial(case.arrays, maker))
    if any(a.size for s in tried.kept for a in s.arrays.values()):
        return Samples.of(tried.kept, tried.notes)
    if own is None:
        raise UsageError(
            "no samples could be made up for the model",
            where=", ".join(map(str, inputs)),
            reason=tried.notes[0] if tried.notes else "its inputs are empty",
            remedy="pass data of your own as samples (--samples)",
        )
    return _of_own_rows(inference, inputs, own, tried.notes)


def _of_own_rows(inference: Inference, inputs: Sequence[TensorInfo], own: Sample, notes: Iterable[str]) -> Samples:
    """Return samples of several batch sizes that consist of rows of the user's own data."""
    rows, tried = rows_of(own.arrays, inference.inputs), _Trial(inference)
    if rows and in_step(own.arrays, inference.inputs):
        fixed = fixed_batch(inputs, inference.inputs)
        for count in (1, 2, 3, 7) if fixed is None else (fixed,):
            index, cut = np.arange(count) % rows, batched(inference.inputs)
            arrays = {name: a[index] if name in cut else a for name, a in own.arrays.items()}
            tried.add(f"rows of {own.name}, batch {count}", partial(dict, arrays))
    return Samples.of(tried.kept, [*notes, *tried.notes])


class _Trial:
    """Tries samples on Keras itself: keeps those that it computes, and notes why it does not compute the others."""

    def __init__(self, inference: Inference) -> None:
        self.kept: list[Sample] = []
        self._inference = inference
        self._state = ModelState(inference.concrete())
        self._refused: dict[str, list[str]] = defaultdict(list)

    @property
    def notes(self) -> list[str]:
        """One sentence for each reason."""
        return [
            f"left out, since Keras itself fails on it: {'; '.join(names)}: {reason}"
            for reason, names in self._refused.items()
        ]

    def add(self, name: str, make: Callable[[], Mapping[str, np.ndarray]]) -> None:
        """Make a sample and try it."""
        try:
            sample = Sample(name, make())
            with self._state.used():
                outputs = self._inference.try_on(sample.arrays)
            reason = _misshapen(self._inference, sample, outputs)
        except (
            Exception
        ) as error:  # a layer's own code, which may raise anything: it says something of this sample only
            reason = message_of(error)
        if reason:
            self._refused[reason].append(name)
        else:
            self.kept.append(sample)


def user_samples(data: Any, inference: Inference, name: str = "data") -> Sample:
    """Return the user's own data as one sample.

    Args:
        data: an array where the model has one input, else arrays by input name, or a sequence in Keras's order.
            Shapes as the model's inputs, any number of rows, the same in all inputs that the model computes together; floats
            are rounded to the input's dtype.
        inference: the model.
        name: name of the sample in reports.

    Raises:
        UsageError: an input is missing, unknown, or has another shape or dtype, or the numbers of rows differ.
    """
    inputs = inference.inputs
    if isinstance(data, Mapping):
        data = by_input(inference.model, inputs, data)
    rows = batched(inputs)
    arrays = {
        info.name: _checked(info, value, info.name in rows)
        for info, value in zip(inputs, _in_order(data, inputs), strict=True)
    }
    _check_rows(arrays, inference, name)
    return Sample(name, arrays)


def _check_rows(arrays: Mapping[str, np.ndarray], inference: Inference, name: str) -> None:
    """Hold the numbers of rows of the inputs that share a first dimension against each other."""
    counts = {key: arrays[key].shape[0] for key in batched(inference.inputs)}
    if len(set(counts.values())) <= 1:
        return
    named = inference.leading.inputs if free_inputs(inference.inputs) else {}
    groups = [{n for key, n in counts.items() if named.get(key) == group} for group in {named.get(k) for k in counts}]
    if any(len(group) > 1 for group in groups):
        raise UsageError(
            "the inputs have different numbers of rows",
            where=name,
            reason=", ".join(f"{key} has {count}" for key, count in counts.items()),
            remedy="the model computes them together, row by row: give each as many rows",
        )


def _misshapen(inference: Inference, sample: Sample, outputs: Mapping[str, np.ndarray]) -> str:
    """Say which output has not the shape that the graph gives it; empty if all have.

    TensorFlow's convolution of an empty batch returns the height and the width of its input.
    """
    wanted = inference.outputs
    if not all(a.size for a in sample.arrays.values()) and any(None in o.shape[1:] for o in wanted):
        fixed = [replace(i, shape=sample.arrays[i.name].shape) for i in inference.inputs]
        wanted = inference.outputs_of(inference.trace(inference, fixed).graph)
    for info in wanted:
        shape = outputs[info.name].shape
        if info.shape != (None,) and not _fits(shape, info.shape):  # (None,) also stands for an unknown rank
            return f"{info} comes out as {list(shape)}"
    return ""


def _fits(shape: Sequence[int], wanted: Sequence[int | None]) -> bool:
    return len(shape) == len(wanted) and all(w in (None, s) for s, w in zip(shape, wanted, strict=True))


def _in_order(data: Any, inputs: Sequence[TensorInfo]) -> list[Any]:
    """Return the user's arrays in Keras's order."""
    names = [info.name for info in inputs]
    if not isinstance(data, Mapping):
        values = list(data) if isinstance(data, list | tuple) and len(inputs) > 1 else [data]
        if len(values) != len(names):
            raise UsageError(
                "the data does not fit the model",
                where=f"{len(values)} array(s)",
                reason=f"the model takes {len(names)}: {', '.join(names)}",
                remedy="pass arrays by input name",
            )
        return values
    if set(data) != set(names):
        raise UsageError(
            "the data does not fit the model",
            where=", ".join(map(str, data)) or "no arrays",
            reason=f"the model takes {', '.join(names)}",
            remedy="name each input once",
        )
    return [data[name] for name in names]


def _checked(info: TensorInfo, value: Any, any_rows: bool) -> np.ndarray:
    """Return the user's value as an array of the input's dtype, shape checked; a batch may have any number of rows."""
    array = np.asarray(value)
    if not _fits(array.shape, (None, *info.shape[1:]) if any_rows else info.shape):
        raise UsageError("the data has the wrong shape", where=str(info), reason=f"received {list(array.shape)}")
    dtype = numpy_dtype(info.dtype)
    text = array.dtype.kind in "OSU"
    if text != (info.dtype == "string") or not (text or np.can_cast(array.dtype, dtype, "same_kind")):
        remedy = "" if text else f"convert it: array.astype({info.dtype!r})"
        raise UsageError(
            "the data has the wrong dtype", where=str(info), reason=f"received {array.dtype}", remedy=remedy
        )
    converted = array.astype(dtype, copy=False)
    if dtype.kind in "iu" and not np.array_equal(converted, array):
        raise UsageError("the data does not fit the dtype", where=str(info), reason=f"largest value {array.max()}")
    return converted
