"""Names that are told apart, and names as Python identifiers."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def apart(names: Sequence[str], outputs: Sequence[Any], inputs: Mapping[str, Any]) -> list[str]:
    """Number the names of outputs that an input has, too: ONNX has one name for one tensor.

    Args:
        names: of the outputs.
        outputs: their tensors; one that is the input of that name keeps it.
        inputs: the tensors of the inputs by name.
    """
    taken = [n for n in inputs if not any(n == o and t is inputs[n] for o, t in zip(names, outputs, strict=True))]
    return unique([*taken, *names])[len(taken) :]


def unique(names: Sequence[str]) -> list[str]:
    """Append _1, _2, … to the second and later uses of a name, skipping names that are taken."""
    taken, seen, result = set(names), Counter[str](), []
    for name in names:
        candidate = name
        while seen[name] and candidate in taken:
            candidate = f"{name}_{seen[name]}"
            seen[name] += candidate in taken
        seen[name] += 1
        taken.add(candidate)
        result.append(candidate)
    return result


def identifiers(names: Sequence[str]) -> list[str]:
    """Spell names so that TensorFlow takes them as arguments of a signature, each another."""
    return unique([_identifier(name) for name in names])


def _identifier(name: str) -> str:
    """Spell a name so that TensorFlow takes it as an argument of a signature."""
    spelled = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not spelled or spelled[0].isdigit() or keyword.iskeyword(spelled):
        spelled = f"arg_{spelled}"
    return spelled
