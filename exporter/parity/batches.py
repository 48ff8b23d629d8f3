"""Feed many rows to a function that takes a fixed number of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from exporter.spec import TensorInfo

Arrays = Mapping[str, np.ndarray]


def rows_of(arrays: Arrays, inputs: Sequence[TensorInfo]) -> int:
    """Return the number of rows: the first dimension of the first input that has a dynamic or shared one."""
    sizes = [arrays[i.name].shape[0] for i in inputs if i.shape]
    return sizes[0] if sizes else 1


def fixed_batch(inputs: Sequence[TensorInfo]) -> int | None:
    """Return the batch size that `inputs` fix; None if it is dynamic."""
    sizes = [i.shape[0] for i in inputs if i.shape]
    return sizes[0] if sizes else None


def run_in_chunks(
    run: Callable[[Arrays], dict[str, np.ndarray]], arrays: Arrays, size: int, batched: Sequence[str]
) -> dict[str, np.ndarray]:
    """Run `size` rows at a time, the last ones filled up by repeating the last row; join the outputs.

    Args:
        run: takes arrays whose inputs in `batched` have exactly `size` rows.
        arrays: inputs by name; those in `batched` have the same number of rows, at least one.
        size: rows per call.
        batched: names of the inputs that are cut; the others are passed whole.
    """
    rows = arrays[batched[0]].shape[0]
    parts = []
    for start in range(0, rows, size):
        index = np.minimum(np.arange(start, start + size), rows - 1)
        parts.append(run({name: a[index] if name in batched else a for name, a in arrays.items()}))
    return {name: np.concatenate([part[name] for part in parts])[:rows] for name in parts[0]}
