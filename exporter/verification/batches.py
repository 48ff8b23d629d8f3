"""Which inputs have one entry per row, and how many rows are fed to a function that takes a fixed number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from exporter.spec import TensorInfo

Arrays = Mapping[str, np.ndarray]


def batched(inputs: Sequence[TensorInfo]) -> tuple[str, ...]:
    """Return the names of the inputs that have one entry per row.

    Those are the inputs whose first dimension is dynamic. Where none is, they are those whose first dimension is fixed, if it
    is the same in all of them: [6, 5] and [10, 2] have no rows in common.
    """
    shaped = [i for i in inputs if i.shape]
    if free := tuple(i.name for i in shaped if i.shape[0] is None):
        return free
    return tuple(i.name for i in shaped) if len({i.shape[0] for i in shaped}) == 1 else ()


def rows_of(arrays: Arrays, inputs: Sequence[TensorInfo]) -> int:
    """Return the number of rows: the first dimension of the first input that has one entry per row; 1 if none has."""
    return next((arrays[name].shape[0] for name in batched(inputs)), 1)


def in_step(arrays: Arrays, inputs: Sequence[TensorInfo]) -> bool:
    """Whether all inputs with one entry per row have the same number of rows: nodes and edges need not."""
    return len({arrays[name].shape[0] for name in batched(inputs)}) <= 1


def fixed_batch(inputs: Sequence[TensorInfo], model: Sequence[TensorInfo] | None = None) -> int | None:
    """Return the batch size that `inputs` fix; None if it is dynamic, or if there is none.

    Args:
        inputs: of a file, or of the model.
        model: the model's inputs where `inputs` are those of a file: they tell which have one entry per row.
    """
    names = batched(inputs if model is None else model)
    return next((i.shape[0] for i in inputs if i.name in names), None)


def run_in_chunks(
    run: Callable[[Arrays], dict[str, np.ndarray]], arrays: Arrays, size: int, cut: Sequence[str]
) -> dict[str, np.ndarray]:
    """Run `size` rows at a time, the last ones filled up by repeating the last row; join the outputs.

    Args:
        run: takes arrays whose inputs in `cut` have exactly `size` rows.
        arrays: inputs by name; those in `cut` have the same number of rows, at least one.
        size: rows per call.
        cut: names of the inputs that are cut (`batched`); the others are passed whole.
    """
    rows = arrays[cut[0]].shape[0]
    parts = []
    for start in range(0, rows, size):
        index = np.minimum(np.arange(start, start + size), rows - 1)
        parts.append(run({name: a[index] if name in cut else a for name, a in arrays.items()}))
    return {name: np.concatenate([part[name] for part in parts])[:rows] for name in parts[0]}
