"""Seeded inputs of many kinds and batch sizes, and the user's own data in the same form."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exporter.errors import UsageError
from exporter.failures import message_of
from exporter.freeze import Inference
from exporter.parity.batches import fixed_batch
from exporter.parity.plan import affordable, cost_of_row
from exporter.parity.shapes import Shapes, usable_shapes
from exporter.parity.state import ModelState
from exporter.parity.values import ValueMaker, numpy_dtype
from exporter.signature import by_input
from exporter.spec import Batch, TensorInfo


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


def make_samples(inference: Inference, batch: Batch = "dynamic", seed: int = 0) -> Samples:
    """Return seeded samples for a model.

    With a dynamic batch the sizes are 0, 1, 2, 3, 7, 17 and 64, spread over the kinds of values (`values.KINDS`); with a
    fixed one every sample has that size. Other dynamic dimensions get two sizes that the model accepts. The number of
    rows shrinks as the model grows: `plan.affordable`.

    Args:
        inference: the model.
        batch: what the files are written for.
        seed: equal seeds give equal samples.

    Raises:
        UsageError: if Keras itself fails on all of them; the message asks for data.
    """
    inputs = inference.inputs_for(batch)
    shapes = usable_shapes(inference, inputs)
    maker = ValueMaker(inference, seed)
    cost = cost_of_row(shapes[-1].values(), inference.model)
    state = ModelState(inference.concrete())
    kept, refused = [], defaultdict(list)
    for number, (kind, rows) in enumerate(affordable(fixed_batch(inputs), cost)):
        shape = shapes[number % len(shapes)]
        arrays = {name: maker.make(kind, name, tuple(rows if d is None else d for d in s)) for name, s in shape.items()}
        sample = Sample(_name(kind, rows, shape, inputs), arrays)
        reason = _refusal(inference, state, sample)
        if reason:
            refused[reason].append(sample.name)
        else:
            kept.append(sample)
    notes = [f"left out, since Keras itself fails on it: {'; '.join(n)}: {reason}" for reason, n in refused.items()]
    if not any(a.size for s in kept for a in s.arrays.values()):
        raise UsageError(
            "no samples could be made up for the model",
            where=", ".join(map(str, inputs)),
            reason=notes[0] if notes else "its inputs are empty",
            remedy="pass data of your own as samples",
        )
    return Samples.of(kept, notes)


def user_samples(data: Any, inference: Inference, name: str = "data") -> Sample:
    """Return the user's own data as one sample.

    Args:
        data: an array where the model has one input, else arrays by input name, or a sequence in Keras's order.
            Shapes as the model's inputs, any number of rows; floats are rounded to the input's dtype.
        inference: the model.
        name: name of the sample in reports.

    Raises:
        UsageError: an input is missing, unknown, or has another shape or dtype, or the numbers of rows differ.
    """
    inputs = inference.inputs
    if isinstance(data, Mapping):
        data = by_input(inference.model, inputs, data)
    arrays = {info.name: _checked(info, value) for info, value in zip(inputs, _in_order(data, inputs), strict=True)}
    rows = {a.shape[0] for a in arrays.values() if a.ndim}
    if len(rows) != 1:
        counts = ", ".join(f"{key} has {a.shape[0]}" for key, a in arrays.items() if a.ndim)
        raise UsageError("the inputs have different numbers of rows", where=name, reason=counts)
    return Sample(name, arrays)


def _name(kind: str, rows: int, shape: Shapes, inputs: Sequence[TensorInfo]) -> str:
    """Name a sample by its kind, its batch and the sizes chosen for other dynamic dimensions."""
    chosen = [d for info in inputs for d, own in zip(shape[info.name][1:], info.shape[1:], strict=True) if own is None]
    sizes = f", size {' x '.join(map(str, dict.fromkeys(chosen)))}" if chosen else ""
    return f"{kind}, batch {rows}{sizes}"


def _refusal(inference: Inference, state: ModelState, sample: Sample) -> str:
    """Return why Keras itself fails on a sample; empty if it does not."""
    import tensorflow as tf

    try:
        with state.used():
            outputs = inference.predict(sample.arrays)
    except (TypeError, ValueError, tf.errors.OpError) as error:
        return message_of(error)
    for info in inference.outputs:  # TensorFlow's convolution returns its input where the batch is empty
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


def _checked(info: TensorInfo, value: Any) -> np.ndarray:
    """Return the user's value as an array of the input's dtype, shape checked; any number of rows will do."""
    array = np.asarray(value)
    if not _fits(array.shape, (None, *info.shape[1:]) if info.shape else ()):
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
