"""The verification of one model: its samples and the truth, against which the file of every format is held."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from exporter.capture.auto_names import counted_names
from exporter.capture.inference import Inference
from exporter.formats import Runner
from exporter.spec import Batch, Parity
from exporter.verification.batches import rows_of
from exporter.verification.interface import fitted
from exporter.verification.reference import Expectations, Reference
from exporter.verification.samples import Sample, make_samples, user_samples
from exporter.verification.saving import BATCH, load_samples, save_samples
from exporter.verification.verify import verify_artifact


class ModelVerification:
    """Samples, and what each output should be for them.

    Args:
        reference: what the outputs should be.
        samples: generated inputs.
        real: the user's own data.
        counted: names of the model that a file may have with another count (`interface.fitted`).
        stated: the user's own tolerance, relative to the scale of each output; None: as measured.
        of_batch: makes the verification for files of a fixed batch.
    """

    def __init__(
        self,
        reference: Expectations,
        samples: Sequence[Sample],
        real: Sequence[Sample] = (),
        counted: Collection[str] = (),
        *,
        stated: float | None = None,
        of_batch: Callable[[int], ModelVerification] | None = None,
    ) -> None:
        self.reference = reference
        self._counted = counted
        self.samples = samples
        self.real = tuple(real)
        self.stated = stated
        self._of_batch = of_batch
        self._of_batches: dict[int, ModelVerification] = {}

    @classmethod
    def of_model(
        cls, inference: Inference, batch: Batch, data: Any = None, *, stated: float | None = None, anew: bool = False
    ) -> ModelVerification:
        """Make samples for a model, with Keras in float64 as the truth.

        Args:
            inference: the model.
            batch: what the files are written for.
            data: the user's own, by input name.
            stated: the user's own tolerance, relative to the scale of each output; None: as measured.
            anew: whether the files were written earlier, perhaps in another process.
        """
        real = () if data is None else (user_samples(data, inference),)
        counted = counted_names(inference.model) if anew else ()
        own = real[0] if real else None
        reference = Reference(inference, stated, None if batch == "dynamic" else batch)
        samples = make_samples(inference, batch, own=own)
        reference.prepare([*samples, *real])

        def of_batch(size: int) -> ModelVerification:
            return cls.of_model(inference, size, data, stated=stated, anew=anew)

        return cls(reference, samples, real, counted, stated=stated, of_batch=of_batch)

    @classmethod
    def of_folder(cls, folder: Path) -> ModelVerification:
        """Read the golden samples that an export has written."""
        saved = load_samples(folder)

        def of_batch(size: int) -> ModelVerification:
            return cls.of_folder(folder / BATCH.format(size))

        return cls(saved.reference, saved.samples, saved.real, stated=saved.stated, of_batch=of_batch)

    @property
    def facts(self) -> dict[str, Any]:
        """What report.json says of the samples."""
        inputs = self.reference.inputs
        stated = {} if self.stated is None else {"stated_tolerance": self.stated}
        return {
            **stated,
            "reference": self.reference.kind,
            "generated_samples": len(self.samples),
            "generated_rows": sum(rows_of(s.arrays, inputs) for s in self.samples),
            "real_rows": sum(rows_of(s.arrays, inputs) for s in self.real),
        }

    def check(self, runner: Runner, *, foreign: bool = False) -> Parity:
        """Run a file on all samples and compare.

        Args:
            runner: the file.
            foreign: whether another tool wrote it, which may order inputs and outputs in its own way.

        Raises:
            InvalidArtifactError: if its inputs or outputs are not those of the Keras model.
        """
        runner = fitted(runner, self.reference, self._counted, foreign=foreign)
        parity = verify_artifact(runner, self.reference, self.samples, self.real)
        return replace(parity, notes=(*parity.notes, *runner.remarks))

    def most_informative(self, parity: Parity) -> list[Sample]:
        """Return the sample on which a file differs most, and the first few that have rows."""
        samples = [s for s in (*self.samples, *self.real) if rows_of(s.arrays, self.reference.inputs)]
        worst = parity.worst.case if parity.outputs else ""
        named = sorted((s for s in samples if worst.startswith(s.name)), key=lambda s: -len(s.name))
        return list({s.name: s for s in (*named[:1], *samples[:3])}.values())

    def depends_across_rows(self, parity: Parity, batch: int) -> bool:
        """Whether a file of a fixed batch differs because the rows of a batch depend on each other in the model."""
        (sample,) = self.most_informative(parity)[:1] or (None,)
        return sample is not None and self.reference.depends_across_rows(sample, batch)

    def divides_into(self, batch: int) -> bool:
        """Whether outputs have one entry per row, so that samples can be fed to a file of a fixed batch in portions."""
        return all(o.shape and o.shape[0] in (None, batch) for o in self.reference.outputs)

    def of_batch(self, batch: int) -> ModelVerification:
        """Return the verification for files of a fixed batch of a model whose rows depend on each other."""
        if batch not in self._of_batches and self._of_batch is not None:
            self._of_batches[batch] = self._of_batch(batch)
        return self._of_batches.get(batch, self)

    def save(self, folder: Path) -> None:
        """Write the samples and what they should give, for `kx verify` and for the user's own tests."""
        save_samples(folder, self.samples, self.reference, self.real, self.stated, sorted(self._of_batches))
        for batch, verification in self._of_batches.items():
            verification.save(folder / BATCH.format(batch))
