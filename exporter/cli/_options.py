"""Arguments and options that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import click

from exporter.cli._mode import Mode
from exporter.errors import UsageError
from exporter.run.failures import reason_of
from exporter.spec import FORMATS, TensorInfo

DTYPES = (
    *("bool", "string", "float16", "bfloat16", "float32", "float64"),
    *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
)
_Function = TypeVar("_Function", bound=Callable[..., Any])


class BatchType(click.ParamType[int | str]):
    """A batch size: "dynamic", or a whole number from 1."""

    name = "batch"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | Literal["dynamic"]:
        """Return "dynamic" or the number."""
        if value == "dynamic" or (isinstance(value, int) and value >= 1):
            return value
        if str(value).isdecimal() and int(value) >= 1:
            return int(value)
        return self.fail(f"{value!r} is neither 'dynamic' nor a whole number from 1.", param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what the help shows."""
        return "N|dynamic"


class ShapeType(click.ParamType[tuple[str, tuple[int | None, ...]]]):
    """The shape of an input without its batch: NAME=224,224,3, "?" where it stays dynamic."""

    name = "shape"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, tuple[int | None, ...]]:
        """Return the name and the sizes."""
        if isinstance(value, tuple):
            return value
        name, _, text = value.rpartition("=")
        sizes = [part.strip() for part in text.split(",")]
        if not name or not all(s == "?" or (s.isdecimal() and int(s) > 0) for s in sizes):
            self.fail(f"{value!r} is not like image=224,224,3.", param, ctx)
        return name, tuple(None if s == "?" else int(s) for s in sizes)

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what the help shows."""
        return "NAME=N,N,…"


class InputType(click.ParamType[TensorInfo]):
    """The dtype and the whole shape of an input: NAME=int32[?,128], "?" where it is dynamic."""

    name = "input"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> TensorInfo:
        """Return name, shape and dtype."""
        if isinstance(value, TensorInfo):
            return value
        match = re.fullmatch(r"(?P<name>.+)=(?P<dtype>[a-z]+[0-9]*)\[(?P<sizes>[^\[\]]*)\]", value)
        sizes = [part.strip() for part in match["sizes"].split(",")] if match and match["sizes"].strip() else []
        if match is None or not all(s == "?" or (s.isdecimal() and int(s) > 0) for s in sizes):
            self.fail(f"{value!r} is not like ids=int32[?,128].", param, ctx)
        if match["dtype"] not in DTYPES:
            self.fail(f"{match['dtype']!r} is none of {', '.join(DTYPES)}.", param, ctx)
        return TensorInfo(match["name"], tuple(None if s == "?" else int(s) for s in sizes), match["dtype"])

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        """Return what the help shows."""
        return "NAME=DTYPE[N,…]"


def signature(
    shapes: Sequence[tuple[str, tuple[int | None, ...]]], inputs: Sequence[TensorInfo]
) -> dict[str, tuple[int | None, ...] | TensorInfo] | None:
    """Return what `exporter.export` takes as input_signature; None if nothing was said."""
    return {**dict(shapes), **{info.name: info for info in inputs}} or None


def _names(_ctx: click.Context, _param: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    if not names:
        raise click.BadParameter("name at least one format.")
    return names


def _remember(field: str) -> Callable[[click.Context, click.Parameter, bool], None]:
    def store(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
        setattr(ctx.ensure_object(Mode), field, value)

    return store


def _flag(*names: str, field: str, text: str) -> Callable[[_Function], _Function]:
    return click.option(*names, field, is_flag=True, expose_value=False, callback=_remember(field), help=text)


model_argument = click.argument("model", type=click.Path(path_type=Path))
to = click.option(
    "--to",
    "formats",
    metavar="FORMATS",
    default=",".join(FORMATS),
    callback=_names,
    help="Formats, separated by commas; also: ort.",
)
custom = click.option(
    "--custom",
    metavar="PKG.MODULE",
    multiple=True,
    help="Module with your own layers or functions, looked for in the current folder too. May be repeated.",
)
shapes = click.option(
    "--shape",
    "shapes",
    type=ShapeType(),
    multiple=True,
    help="Sizes for the dynamic dimensions of an input, without the batch. May be repeated.",
)
inputs = click.option(
    "--input",
    "inputs",
    type=InputType(),
    multiple=True,
    help="Shape with the batch, and dtype, of an input of a subclassed model: 'ids=int32[?,128]'. May be repeated.",
)
trust = click.option("--trust", is_flag=True, help="Load files that may run code. Only for files that you made.")
as_json = _flag("--json", field="json", text="Print one JSON document on standard output.")
verbose = _flag("-v", "--verbose", field="verbose", text="Show the libraries' own output, and tracebacks.")
quiet = _flag("-q", "--quiet", field="quiet", text="Print errors only.")


def read_samples(path: Path) -> Any:
    """Return the array of an .npy file, or the arrays of an .npz file by input name.

    Raises:
        UsageError: if it is neither, or holds Python objects.
    """
    import zipfile

    import numpy as np

    try:
        with path.open("rb") as file:
            loaded = np.load(file, allow_pickle=False)
            return loaded if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise UsageError(
            "the samples cannot be read",
            where=f"--samples {path}",
            reason=reason_of(error),
            remedy="write them with numpy.savez(file, name_of_input=array)",
        ) from error
