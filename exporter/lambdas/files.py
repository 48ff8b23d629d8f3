"""`kx fix`: from a model file to one without Lambda layers, checked before it gets its name."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exporter.errors import ParityError, UsageError
from exporter.lambdas.bytecode import default_globals
from exporter.lambdas.equivalence import prove_model
from exporter.lambdas.removal import Removal, rewrite_lambdas, unsupported
from exporter.run.disk import output_error
from exporter.run.progress import Progress, Silent


def fix(
    model: Path,
    output: Path,
    *,
    custom_objects: Mapping[str, Any] | None = None,
    trust: bool = False,
    progress: Progress | None = None,
) -> Removal:
    """Write a model file again, without Lambda layers.

    Args:
        model: a .keras or .h5 file, or the folder of a SavedModel.
        output: the .keras file to write; it is replaced when all went well, else left as it was.
        custom_objects: as for `exporter.load`.
        trust: as for `exporter.load`; a Lambda in a file is code.
        progress: told what is being done; None: silence.

    Returns:
        What became of the Lambda layers; `model` is the model as it was loaded from the new file.

    Raises:
        UsageError: `output` is not a .keras file.
        LoadError: the model does not load, or holds a Lambda and is not trusted.
        UnsupportedError: a Lambda has to stay.
        ParityError: the new file computes something else.
        OutputError: `output` cannot be written.
    """
    from exporter.loading import load, load_with_notes
    from exporter.loading.legacy.version import is_keras2

    _require_suitable(output)
    progress = progress or Silent()
    with progress("Loading the model"), default_globals():
        loaded = load_with_notes(model, custom_objects=custom_objects, trust=trust)
    with progress("Rewriting Lambda layers"):
        result = rewrite_lambdas(loaded.model)
    if result.kept:
        raise unsupported(result.kept)
    with progress("Writing and reading the file"), _replacing(output) as temporary:
        result.model.save(temporary)
        reloaded = load(temporary, custom_objects=custom_objects)
        _require_same_weights(reloaded, result.model)
        prove_model(reloaded, result.model)
    told = tuple(f"{note.where}: {note.reason}" for note in loaded.notes)
    old = not model.is_dir() and is_keras2(loaded.version)
    return Removal(reloaded, result.replaced, (), (*told, *result.notes), (loaded.version or "2") if old else None)


def _require_suitable(output: Path) -> None:
    if output.suffix != ".keras":
        raise UsageError("not a model file", where=str(output), reason="its name does not end in .keras")
    if output.is_dir() or not output.parent.is_dir():
        raise UsageError(
            "the file cannot be written",
            where=str(output),
            reason="it is a folder" if output.is_dir() else f"there is no folder {output.parent}",
            remedy="choose another file with -o",
        )


@contextmanager
def _replacing(output: Path) -> Iterator[Path]:
    """Give a hidden file beside `output`, which takes its name when the body has succeeded.

    Raises:
        OutputError: if the file system refuses.
    """
    temporary = output.with_name(f".{output.stem}.kx-{secrets.token_hex(4)}.keras")
    try:
        yield temporary
        os.replace(temporary, output)
    except OSError as error:
        raise output_error(error, output) from error
    finally:
        temporary.unlink(missing_ok=True)


def _require_same_weights(reloaded: Any, model: Any) -> None:
    import numpy as np

    pairs = zip(reloaded.get_weights(), model.get_weights(), strict=True)
    if not all(np.array_equal(one, other, equal_nan=one.dtype.kind == "f") for one, other in pairs):
        raise ParityError("the new file holds other weights", where=model.name, remedy="please report it")
