"""The proof of one model: its samples and the truth, against which the file of every format is held."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from exporter.errors import InvalidArtifactError
from exporter.formats import Runner
from exporter.freeze import Inference
from exporter.parity.batches import rows_of
from exporter.parity.floats import stands_for
from exporter.parity.reference import Expectations, Reference
from exporter.parity.samples import Sample, make_samples, user_samples
from exporter.parity.saving import load_samples, save_samples
from exporter.parity.verify import verify_artifact
from exporter.spec import Batch, Parity, TensorInfo


class Proof:
    """Samples, and what each output should be for them.

    Args:
        reference: what the outputs should be.
        samples: generated inputs.
        real: the user's own data.
    """

    def __init__(self, reference: Expectations, samples: Sequence[Sample], real: Sequence[Sample] = ()) -> None:
        self.reference = reference
        self.samples = samples
        self.real = tuple(real)

    @classmethod
    def of_model(cls, inference: Inference, batch: Batch, data: Any = None) -> Proof:
        """Make samples for a model, with Keras in float64 as the truth; `data` is the user's own, by input name."""
        real = () if data is None else (user_samples(data, inference),)
        return cls(Reference(inference), make_samples(inference, batch), real)

    @classmethod
    def of_folder(cls, folder: Path) -> Proof:
        """Read the golden samples that an export has written."""
        saved = load_samples(folder)
        return cls(saved.reference, saved.samples, saved.real)

    @property
    def facts(self) -> dict[str, Any]:
        """What report.json says of the samples."""
        inputs = self.reference.inputs
        return {
            "reference": self.reference.kind,
            "generated_samples": len(self.samples),
            "generated_rows": sum(rows_of(s.arrays, inputs) for s in self.samples),
            "real_rows": sum(rows_of(s.arrays, inputs) for s in self.real),
        }

    def check(self, runner: Runner) -> Parity:
        """Run a file on all samples and compare.

        Raises:
            InvalidArtifactError: if its inputs or outputs are not those of the Keras model.
        """
        _same_interface("inputs", runner.inputs, self.reference.inputs)
        _same_interface("outputs", runner.outputs, self.reference.outputs)
        return verify_artifact(runner, self.reference, self.samples, self.real)

    def telling(self, parity: Parity) -> list[Sample]:
        """Return the sample on which a file differs most, and the first few that have rows."""
        samples = [s for s in (*self.samples, *self.real) if rows_of(s.arrays, self.reference.inputs)]
        worst = parity.worst.case if parity.outputs else ""
        named = sorted((s for s in samples if worst.startswith(s.name)), key=lambda s: -len(s.name))
        return list({s.name: s for s in (*named[:1], *samples[:3])}.values())

    def save(self, folder: Path) -> None:
        """Write the samples and what they should give, for `kx verify` and for the user's own tests."""
        save_samples(folder, self.samples, self.reference, self.real)


def _same_interface(what: str, found: Sequence[TensorInfo], wanted: Sequence[TensorInfo]) -> None:
    """Hold names, order, dtypes and ranks of a file against Keras's."""
    if len(found) != len(wanted) or not all(_alike(f, w) for f, w in zip(found, wanted, strict=True)):
        raise InvalidArtifactError(
            f"the file's {what} are not the model's",
            reason=f"it has {_listed(found)}; Keras has {_listed(wanted)}",
        )


def _alike(found: TensorInfo, wanted: TensorInfo) -> bool:
    return found.name == wanted.name and stands_for(found.dtype, wanted.dtype)


def _listed(infos: Sequence[TensorInfo]) -> str:
    return ", ".join(map(str, infos)) or "none"
