"""Why a function cannot be written down as a graph, in words that say what to do instead."""

from __future__ import annotations


class Refusal(ValueError):  # noqa: N818 - what it is; the errors that users see are made from it
    """A function that cannot be traced, or data that is no graph.

    Args:
        reason: what stands in the way.
        remedy: what to write instead.
    """

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(f"{reason}; {remedy}" if remedy else reason)
        self.reason, self.remedy = reason, remedy


_BRANCH = Refusal(
    "it decides in Python (if, while, for, and, or) by the values of a tensor",
    "choose with keras.ops.where(condition, a, b)",
)
_SIZE = Refusal(
    "it computes in Python with a size that is known only when the model runs (None)",
    "write -1 for that dimension in a reshape, or fix the size in the Input",
)
_OUTSIDE = Refusal("it calls something outside of keras.ops on a tensor", "call the keras.ops function instead")
_NUMPY = Refusal(
    "it hands a tensor to NumPy: to a function of NumPy, or to an operator with an array on its left",
    "call the keras.ops function instead, as in keras.ops.subtract(array, x)",
)
_RANDOM = Refusal(
    "it gives other results each time it is traced (random numbers, a counter, the time)",
    "use a layer for randomness: keras.layers.GaussianNoise, Dropout or a layer of your own with a SeedGenerator",
)

_SIGNS = (
    (_BRANCH, ("cannot be used as boolean", "as a boolean", "iterating over a symbolic")),
    (_SIZE, ("nonetype", "has no len()")),
    (_NUMPY, ("convert it to a numpy array",)),
    (_OUTSIDE, ("kerastensor cannot be used as input", "symbolic kerastensor", "`kerastensor`", "kerastensor")),
)


def randomness() -> Refusal:
    """The refusal of a function whose graph is another each time."""
    return Refusal(_RANDOM.reason, _RANDOM.remedy)


def failure_of(error: Exception) -> Refusal:
    """Explain what a function raised when it was called on symbolic tensors."""
    text = str(error).lower()
    for known, signs in _SIGNS:
        if any(sign in text for sign in signs):
            return Refusal(f"{known.reason} ({_gist(error)})", known.remedy)
    return Refusal(f"it fails on symbolic tensors ({_gist(error)})", "make it a layer of your own: @exporter.layer")


def _gist(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
