"""The values in a config that cost or reach something by themselves: paths, texts, numbers and patterns."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from exporter.loading import limits, verdicts
from exporter.loading.archive import is_traversal
from exporter.loading.finding import Finding
from exporter.loading.places import Place

# What Keras itself turns into plain values, without looking up a class.
VALUE_FORMS = frozenset({"__keras_tensor__", "__tensor__", "__numpy__", "__bytes__", "__ellipsis__", "__slice__"})
LEGACY_VALUE_FORMS = frozenset({"__tuple__", "TensorShape", "__ellipsis__", "__bytes__"})
# Arguments of vocabulary and tokenizer layers that may be the values themselves, or a path from which to read them.
_PATH_ARGUMENTS = frozenset({"vocabulary", "idf_weights", "merges", "proto", "special_tokens", "language_tokens"})
# Element types of constants written out in a config; NumPy would take "S2000000000" as well, two gigabytes each.
_DTYPE = re.compile(r"(u?int|float|bfloat|complex)\d{1,3}|float8_\w{1,12}|bool|string")
# Numbers that Keras counts up to, one step of Python each, while it builds or traces.
_COUNTS: Mapping[str, int] = MappingProxyType(
    {
        **dict.fromkeys(("ngrams", "num_ops", "num_chains", "chain_depth", "power_iterations"), limits.STEPS),
        **dict.fromkeys(("num_thresholds", "num_oov_indices"), limits.LIST_LENGTH),
    }
)
# Arguments that are regular expressions, in a list, or as the keys of a dictionary.
_PATTERNS = frozenset({"exclude_layers", "policy_map", "optimizer_map"})


def judge_values(node: dict[str, Any], place: Place) -> Iterator[Finding]:
    """The reasons to refuse what stands directly in a dictionary, whatever its class."""
    name = node.get("name")
    if isinstance(name, str) and len(name) > limits.NAME_LENGTH:
        yield Finding(f"a name of {len(name)} characters, allowed are {limits.NAME_LENGTH}", str(place))
    elif isinstance(name, str) and is_traversal(name):
        yield verdicts.traversal(name, str(place))
    for key in sorted(_PATH_ARGUMENTS & node.keys()):
        if isinstance(node[key], str):
            yield verdicts.path_argument(key, node[key], str(place))
    for key in sorted(_COUNTS.keys() & node.keys()):
        if isinstance(node[key], int) and node[key] > _COUNTS[key]:
            yield Finding(f"{key} is more than {_COUNTS[key]}", str(place))
    if "idf_weights" in node and isinstance(most := node.get("max_tokens"), int) and most > limits.LIST_LENGTH:
        yield Finding(f"max_tokens is more than {limits.LIST_LENGTH}", str(place))


def judge_text(text: str, place: Place) -> Iterator[Finding]:
    """A text that is none: half of a pair of surrogates, which no file, terminal or TensorFlow string can hold."""
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        yield Finding("the text holds a lone surrogate, which stands for no character", str(place))


def judge_form(node: dict[str, Any], where: str) -> Iterator[Finding]:
    """A value written out: its element type."""
    config = node.get("config")
    dtype = config.get("dtype") if isinstance(config, dict) else None
    if dtype is not None and not (isinstance(dtype, str) and _DTYPE.fullmatch(dtype)):
        yield Finding(f"{dtype!r:.80} is not an element type of Keras", where)


def judge_nodes(node: dict[str, Any], place: Place) -> Iterator[Finding]:
    """The calls of a layer in a graph: one that no tensor of the graph reaches is computed at once, while it is loaded."""
    calls = node.get("inbound_nodes")
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, dict) and not _holds_tensor(call):
            where = f"{place}.inbound_nodes[{number}]"
            yield Finding("a call on constants alone, which would be computed while the model is built", where)
            return


def _holds_tensor(call: dict[str, Any]) -> bool:
    pending: list[Any] = [call]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if node.get("class_name") == "__keras_tensor__":
                return True
            pending.extend(node.values())
        elif isinstance(node, list):
            pending.extend(node)
    return False


def patterns(node: Any) -> Iterator[str]:
    """The texts in a dictionary that Keras takes for regular expressions, to be searched in the paths of variables."""
    for key in _PATTERNS & node.keys() if isinstance(node, dict) else ():
        held = node[key]
        for text in [held] if isinstance(held, str) else held if isinstance(held, list | dict) else ():
            if isinstance(text, str):
                yield text


def judge_pattern(pattern: str, longest: int, where: str) -> Iterator[Finding]:
    """A regular expression must not take for ever on paths of a given length.

    Args:
        pattern: the expression.
        longest: how long the path of a variable may be.
        where: how messages call its place.
    """
    steps = steps_of(pattern, longest + limits.VARIABLE_NAME)
    if steps is None or steps > limits.PATTERN_STEPS:
        what = (
            f"the regular expression {pattern[:80]!r} may take for ever" if steps else f"{pattern[:80]!r} is no pattern"
        )
        yield Finding(what, where, "use plain names, or one `.*`, instead of repetitions in repetitions")


def steps_of(pattern: str, length: int) -> float | None:
    """How many steps a search may take at worst in a text; infinitely many where repetitions are nested; None if invalid."""
    if len(pattern) > limits.PATTERN_LENGTH:
        return float("inf")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parsed = re._parser.parse(pattern)  # type: ignore[attr-defined]  # no public way to see its structure
    except (re.error, RecursionError, OverflowError, ValueError):
        return None
    repeats = _repeats(parsed, inside=False)
    return float("inf") if repeats is None else float(length) ** (repeats + 1)


def _repeats(parsed: Any, inside: bool) -> int | None:
    """How many repetitions of more than one character choose their length; None if one stands in another."""
    count = 0
    for operation, argument in parsed:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[1] > 1:
            below = _repeats(argument[2], inside=True)
            if inside or below is None or below:
                return None
            count += 1
        elif name in ("GROUPREF", "GROUPREF_EXISTS") or (inside and name == "BRANCH"):
            return None
        else:
            for part in _parts(argument):
                below = _repeats(part, inside)
                if below is None:
                    return None
                count += below
    return count


def _parts(argument: Any) -> Iterator[Any]:
    """The expressions inside the argument of an operation: groups, branches, looks ahead."""
    import re as expressions

    kind = expressions._parser.SubPattern  # type: ignore[attr-defined]
    if isinstance(argument, kind):
        yield argument
    elif isinstance(argument, tuple | list):
        for part in argument:
            yield from _parts(part)
