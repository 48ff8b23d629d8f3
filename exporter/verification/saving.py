"""Golden samples on disk: inputs, what Keras made of them, the reference and the tolerances. Read without Keras.

    samples/index.json              names, dtypes, tolerances, and which file holds what
    samples/inputs_0.npz            one array per input
    samples/outputs_0.npz           what Keras computes, one array per output
    samples/reference_0.npz         the same in float64, where there is such a reference
    samples/rounding_0_0.npz        which elements float32 does not determine, and what kinds of numbers they may be
    samples/batch_1/                the same for files of batch 1, where the rows of a batch depend on each other
    samples/test_data_set_0/*.pb    the first sample as ONNX tensors, in the layout that ONNX tools know

Equal samples give equal bytes.
"""

from __future__ import annotations

import importlib.util
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exporter.errors import InvalidArtifactError, UsageError
from exporter.spec import TensorInfo
from exporter.tfgraph.precision import effective
from exporter.verification.expectation import Bound, Expectation
from exporter.verification.floats import dtype_name
from exporter.verification.plan import BUDGET
from exporter.verification.reference import NATIVE, Arithmetic, Expectations, Key
from exporter.verification.samples import Sample
from exporter.verification.values import numpy_dtype

VERSION = 2  # of index.json
BATCH = "batch_{}"  # the folder of samples for files of a fixed batch, where rows depend on each other
_MASKS = ("values", "logits", "kinds")  # as their names begin in rounding_0.npz
# What reading changed or made-up samples raises; OSError stands for a file that is missing.
_MALFORMED = (
    *(AttributeError, EOFError, IndexError, KeyError, MemoryError, NotImplementedError, OSError, OverflowError),
    *(RecursionError, RuntimeError, SyntaxError, TypeError, ValueError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class SavedReference:
    """What was saved of a `Reference`; it knows only the samples saved with it."""

    kind: str
    notes: tuple[str, ...]
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    stateful: bool
    dtypes: frozenset[str]
    expectations: Mapping[str, Mapping[Key, tuple[Expectation, ...]]]
    batches: frozenset[int] = frozenset()

    def expect(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return what each output should be for a saved sample; as Keras computes it where this arithmetic is not known."""
        known = self.known(sample)
        return known.get(effective(arithmetic, self.dtypes), known[()])

    def reconsider(self, sample: Sample, arithmetic: Arithmetic = NATIVE) -> tuple[Expectation, ...]:
        """Return the same: nothing more is known."""
        return self.expect(sample, arithmetic)

    def known(self, sample: Sample) -> Mapping[Key, tuple[Expectation, ...]]:
        """Return the expectations by what the arithmetic of a file changes in the model."""
        return self.expectations[sample.name]

    def depends_across_rows(self, sample: Sample, size: int) -> bool:
        """Whether rows depended on each other, so that samples of this batch were saved."""
        return size in self.batches


@dataclass(frozen=True)
class SavedSamples:
    """Samples read from disk: generated ones, the user's own, and what they should give."""

    samples: tuple[Sample, ...]
    real: tuple[Sample, ...]
    reference: SavedReference
    stated: float | None = None


def save_samples(
    folder: Path,
    samples: Sequence[Sample],
    reference: Expectations,
    real: Sample | Sequence[Sample] | None = None,
    stated: float | None = None,
    batches: Sequence[int] = (),
) -> None:
    """Write samples and what they should give to `folder`, which is made.

    Args:
        folder: "…/samples".
        samples: generated samples.
        reference: what they should give.
        real: the user's own data; of each sample as many rows are kept as have `BUDGET` elements.
        stated: the user's own tolerance.
        batches: for which there are samples of their own, in `BATCH`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    own = [] if real is None else [real] if isinstance(real, Sample) else list(real)
    named = [*((s, False) for s in samples), *((_cut(s), True) for s in own)]
    entries = [
        {"name": sample.name, "real": is_real, **_write(folder, number, sample, reference.known(sample))}
        for number, (sample, is_real) in enumerate(named)
    ]
    index = {
        "version": VERSION,
        "reference": reference.kind,
        "notes": list(reference.notes),
        "stateful": reference.stateful,
        "dtypes": sorted(reference.dtypes),
        "stated_tolerance": stated,
        "batches": list(batches),
        "inputs": [asdict(info) for info in reference.inputs],
        "outputs": [asdict(info) for info in reference.outputs],
        "samples": entries,
    }
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")
    if samples and importlib.util.find_spec("onnx") is not None:
        _write_onnx(folder / "test_data_set_0", samples[0], reference)


def load_samples(folder: Path) -> SavedSamples:
    """Read what `save_samples` wrote.

    Raises:
        UsageError: if there are no samples.
        InvalidArtifactError: if they are damaged or of another version.
    """
    if not (folder / "index.json").is_file():
        raise UsageError("no golden samples", where=str(folder), remedy="export again, or verify against the model")
    try:
        return _read(folder, json.loads((folder / "index.json").read_text(encoding="utf-8")))
    except _MALFORMED as error:
        raise InvalidArtifactError(
            "the golden samples cannot be read", where=str(folder), reason=str(error), remedy="export again"
        ) from error


def _cut(sample: Sample) -> Sample:
    """Keep the first rows, at most `BUDGET` elements of the largest input."""
    rows = min((max(1, BUDGET * a.shape[0] // max(a.size, 1)) for a in sample.arrays.values() if a.ndim), default=1)
    if all(not a.ndim or a.shape[0] <= rows for a in sample.arrays.values()):
        return sample
    return Sample(sample.name, {name: a[:rows] if a.ndim else a for name, a in sample.arrays.items()})


def _write(folder: Path, number: int, sample: Sample, known: Mapping[Key, tuple[Expectation, ...]]) -> dict[str, Any]:
    """Write the arrays of one sample; return its entry in the index."""
    expected = known[()]
    files = {"inputs": sample.arrays, "outputs": {e.output: e.keras for e in expected}}
    better = {e.output: e.reference for e in expected if e.reference is not e.keras}
    if better:
        files["reference"] = better
    for place, key in enumerate(known):
        if masks := dict(_masks(known[key])):
            files[f"rounding_{place}"] = masks
    for kind, arrays in files.items():
        _write_npz(folder / f"{kind}_{number}.npz", arrays)
    return {
        **{kind: f"{kind}_{number}.npz" for kind in files},
        "dtypes": {e.output: e.dtype for e in expected},
        "bounds": [{"arithmetic": dict(key), "outputs": _bounds(known[key])} for key in known],
    }


def _masks(expected: Sequence[Expectation]) -> Iterator[tuple[str, np.ndarray]]:
    """Yield what stands in no figure: which elements are undetermined, and what kinds of numbers they may be."""
    for e in expected:
        masks = (e.bound.undetermined, None if e.log_bound is None else e.log_bound.undetermined, e.kinds)
        for kind, mask in zip(_MASKS, masks, strict=True):
            if mask is not None:
                yield f"{kind}/{e.output}", mask


def _bounds(expected: Sequence[Expectation]) -> dict[str, Any]:
    return {
        e.output: {"values": _figures(e.bound), "logits": None if e.log_bound is None else _figures(e.log_bound)}
        for e in expected
    }


def _figures(bound: Bound) -> dict[str, float]:
    return {name: float(getattr(bound, name)) for name in ("keras_error", "scale", "tolerance", "furthest", "loose")}


def _read(folder: Path, index: Mapping[str, Any]) -> SavedSamples:
    if index["version"] != VERSION:
        raise ValueError(f"version {index['version']}, this exporter reads {VERSION}")
    inputs, outputs = (
        tuple(TensorInfo(i["name"], tuple(i["shape"]), i["dtype"]) for i in index[key]) for key in ("inputs", "outputs")
    )
    dtypes = {info.name: info.dtype for info in inputs}
    samples: dict[bool, list[Sample]] = {False: [], True: []}
    expectations = {}
    for entry in index["samples"]:
        samples[entry["real"]].append(Sample(entry["name"], _read_npz(_member(folder, entry["inputs"]), dtypes)))
        expectations[entry["name"]] = _expectations(folder, entry)
    reference = SavedReference(
        index["reference"],
        tuple(index["notes"]),
        inputs,
        outputs,
        index["stateful"],
        frozenset(index["dtypes"]),
        expectations,
        frozenset(index["batches"]),
    )
    return SavedSamples(tuple(samples[False]), tuple(samples[True]), reference, index["stated_tolerance"])


def _expectations(folder: Path, entry: Mapping[str, Any]) -> dict[Key, tuple[Expectation, ...]]:
    keras = _read_npz(_member(folder, entry["outputs"]), entry["dtypes"])
    better = _read_npz(_member(folder, entry["reference"]), {}) if "reference" in entry else {}
    found = {}
    for place, known in enumerate(entry["bounds"]):
        file = entry.get(f"rounding_{place}")
        masks = {} if file is None else _read_npz(_member(folder, file), {})
        found[tuple(sorted(known["arithmetic"].items()))] = tuple(
            _expectation(name, keras[name], better.get(name, keras[name]), known["outputs"][name], masks)
            for name in entry["dtypes"]
        )
    return found


def _expectation(
    name: str, keras: np.ndarray, reference: np.ndarray, figures: Mapping[str, Any], masks: Mapping[str, np.ndarray]
) -> Expectation:
    undetermined, logits_undetermined, kinds = (masks.get(f"{kind}/{name}") for kind in _MASKS)
    bound = Bound(**figures["values"], undetermined=undetermined)
    log_bound = figures["logits"] and Bound(**figures["logits"], undetermined=logits_undetermined)
    return Expectation(name, keras, reference, bound, log_bound, kinds)


def _write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write what np.savez writes, without the time of day in it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            np.lib.format.write_array(buffer, _plain(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), buffer.getvalue())


def _member(folder: Path, name: str) -> Path:
    """A file of the samples: in their folder, and no link to another."""
    if Path(name).name != name or (folder / name).is_symlink():
        raise ValueError(f"{name[:80]!r} is no file of the samples")
    return folder / name


def _read_npz(path: Path, dtypes: Mapping[str, str]) -> dict[str, np.ndarray]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {name: _restored(archive[name], dtypes.get(name)) for name in archive.files}


def _plain(array: np.ndarray) -> np.ndarray:
    """Return an array that the npy format knows: strings as bytes, bfloat16 as its bits."""
    if dtype_name(array) == "string":
        encoded = [v.encode() if isinstance(v, str) else bytes(v) for v in array.ravel().tolist()]
        return np.array(encoded or [b""], dtype=np.bytes_)[: len(encoded)].reshape(array.shape)
    return array.view(np.uint16) if array.dtype.name == "bfloat16" else array


def _restored(array: np.ndarray, dtype: str | None) -> np.ndarray:
    if dtype == "string":
        decoded = np.empty(array.size, dtype=object)
        decoded[:] = [v.decode("utf-8", "surrogateescape") for v in array.ravel().tolist()]
        return decoded.reshape(array.shape)
    return array.view(numpy_dtype(dtype)) if dtype == "bfloat16" else array


def _write_onnx(folder: Path, sample: Sample, reference: Expectations) -> None:
    from onnx import numpy_helper

    folder.mkdir(exist_ok=True)
    arrays = {"input": [(i.name, sample.arrays[i.name]) for i in reference.inputs]}
    arrays["output"] = [(e.output, e.keras) for e in reference.expect(sample)]
    for kind, pairs in arrays.items():
        for number, (name, array) in enumerate(pairs):
            dtype = np.float32 if array.dtype.name == "bfloat16" else array.dtype  # as the file has it
            tensor = numpy_helper.from_array(np.ascontiguousarray(array, dtype), name)
            (folder / f"{kind}_{number}.pb").write_bytes(tensor.SerializeToString(deterministic=True))
