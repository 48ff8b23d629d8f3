"""The names, order and dtypes of a file, held against the model's."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from exporter.capture.auto_names import counted_alike
from exporter.errors import InvalidArtifactError
from exporter.formats import Runner
from exporter.spec import TensorInfo
from exporter.verification.floats import stands_for
from exporter.verification.reference import Expectations


@dataclass
class Renamed:
    """A file, by the names that the model has in this process.

    Args:
        file: the file, opened in its runtime.
        inputs: those of the file, with the model's names.
        outputs: likewise.
        remarks: what the verification should say of it.
    """

    file: Runner
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    remarks: tuple[str, ...]

    @property
    def arithmetic(self) -> Mapping[str, str]:
        """In which dtypes the file computes, by Keras's dtypes."""
        return self.file.arithmetic

    def run(self, inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run the file once."""
        found = self.file.run({f.name: inputs[i.name] for f, i in zip(self.file.inputs, self.inputs, strict=True)})
        return {o.name: found[f.name] for f, o in zip(self.file.outputs, self.outputs, strict=True)}


def fitted(runner: Runner, reference: Expectations, counted: Collection[str] = (), *, foreign: bool = False) -> Runner:
    """Return the file, by the names of the model.

    Args:
        runner: the file.
        reference: whose inputs and outputs are the model's.
        counted: the names that Keras counted again when the model was made: in the file they may count from elsewhere on.
        foreign: whether another tool wrote the file: it is fed by name, so that the order is a matter of that tool.

    Raises:
        InvalidArtifactError: if its inputs or outputs are not the model's.
    """
    inputs = _fitted("inputs", runner.inputs, _ordered(runner.inputs, reference.inputs, foreign), counted)
    outputs = _fitted("outputs", runner.outputs, _ordered(runner.outputs, reference.outputs, foreign), counted)
    if inputs == runner.inputs and outputs == runner.outputs:
        return runner
    pairs = zip((*runner.inputs, *runner.outputs), (*inputs, *outputs), strict=True)
    told = ", ".join(f"{file.name} is now {model.name}" for file, model in pairs if file.name != model.name)
    return Renamed(runner, inputs, outputs, (*runner.remarks, f"the model counted its names again: {told}"))


def _ordered(found: Sequence[TensorInfo], wanted: Sequence[TensorInfo], foreign: bool) -> Sequence[TensorInfo]:
    """Return what is wanted in the order of the file, where the names are the same and the order does not matter."""
    by_name = {w.name: w for w in wanted}
    names = [f.name for f in found]
    return [by_name[name] for name in names] if foreign and sorted(names) == sorted(by_name) else wanted


def _fitted(
    what: str, found: tuple[TensorInfo, ...], wanted: Sequence[TensorInfo], counted: Collection[str]
) -> tuple[TensorInfo, ...]:
    if not _alike(found, wanted, counted):
        raise InvalidArtifactError(
            f"the file's {what} are not the model's",
            reason=f"it has {_listed(found)}; Keras has {_listed(wanted)}",
            remedy="compare it with the model that it was exported from, or export this one",
        )
    return tuple(TensorInfo(w.name, f.shape, f.dtype) for f, w in zip(found, wanted, strict=True))


def _alike(found: Sequence[TensorInfo], wanted: Sequence[TensorInfo], counted: Collection[str]) -> bool:
    if len(found) != len(wanted) or not all(stands_for(f.dtype, w.dtype) for f, w in zip(found, wanted, strict=True)):
        return False
    names = [(f.name, w.name) for f, w in zip(found, wanted, strict=True) if f.name != w.name]
    return all(w in counted for _, w in names) and counted_alike([f for f, _ in names], [w for _, w in names])


def _listed(infos: Sequence[TensorInfo]) -> str:
    return ", ".join(map(str, infos)) or "none"
