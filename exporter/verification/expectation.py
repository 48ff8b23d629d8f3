"""What an output should be in one case: Keras's values, the reference's, and the bounds that follow from both.

Keras's own float32 result and the draws of `rounding_noise` are samples of what float32 makes of the graph. How far they are
from the reference gives each element its spread. Nearly all elements of an output have spreads of one size; their largest,
some times over, is the tolerance. A few may have one that is far larger, because a branch, a wrap of an angle, a tie or a
logarithm near 0 hangs on the rounding: float32 does not determine them. They are held to what the draws give, counted and
reported, and do not widen the tolerance of all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exporter.verification.floats import dtype_name, is_inexact, kinds_of, largest, widest
from exporter.verification.softmax import log_errors
from exporter.verification.tolerances import DRAWS, Tolerance, rounded_to, tolerance_for

UNDETERMINED = 2.0**-10  # of the scale; an element that goes further has fewer than three digits
GAP = 64  # how many times further than half of the elements it must go as well: noise of one kind leaves no such gap

Distance = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Draw:
    """One sample of what rounding makes of an output.

    Args:
        values: the output.
        amplitude: how many times as far as rounding every result was moved; 0 for Keras's own, and for Keras row by row.
    """

    values: np.ndarray
    amplitude: float = 0.0


@dataclass(frozen=True)
class Bound:
    """How far a file may be from the reference.

    Args:
        keras_error: E, max |Keras - reference| over the elements that float32 determines.
        scale: S, max |reference| where it is finite.
        tolerance: the largest error that passes.
        furthest: how far draws go from the reference, over the same elements; 0 where nothing was drawn.
        undetermined: which elements float32 does not determine; None if it determines all.
        loose: the largest error that passes there.
    """

    keras_error: float
    scale: float
    tolerance: float
    furthest: float = 0.0
    undetermined: np.ndarray | None = None
    loose: float = 0.0

    def excused(self, errors: np.ndarray) -> np.ndarray:
        """Return which elements are undetermined and go no further than rounding takes them."""
        if self.undetermined is None:
            return np.zeros(errors.shape, bool)
        return self.undetermined & (errors <= self.loose)


@dataclass(frozen=True)
class Expectation:
    """One output in one case.

    Args:
        output: name of the output.
        keras: what Keras computes, in the output's dtype.
        reference: the same in float64 (complex128); `keras` itself where there is no better reference.
        bound: of the values.
        log_bound: of their logarithms, as `softmax.log_errors` measures them; None unless a softmax makes the output.
        kinds: which of finite, NaN, +Inf and -Inf (`floats.kinds_of`) an element may be; None where Keras's alone is right.
    """

    output: str
    keras: np.ndarray
    reference: np.ndarray
    bound: Bound
    log_bound: Bound | None = None
    kinds: np.ndarray | None = None

    @property
    def dtype(self) -> str:
        """The dtype's name, as in `exporter.spec.TensorInfo`: strings are "string"."""
        return dtype_name(self.keras)

    @property
    def keras_error(self) -> float:
        """Keras's error E, of the values."""
        return self.bound.keras_error

    @property
    def scale(self) -> float:
        """The scale S of the values."""
        return self.bound.scale

    @property
    def tolerance(self) -> float:
        """The largest error of the values that passes."""
        return self.bound.tolerance


def expect(
    output: str,
    keras: np.ndarray,
    reference: np.ndarray | None,
    draws: Sequence[Draw] = (),
    *,
    softmax: bool = False,
    stated: float | None = None,
    computed_in: str | None = None,
    usual: float = 0.0,
) -> Expectation:
    """Measure what rounding makes of an output; without a reference (None) Keras is it, at a wider tolerance.

    Args:
        output: its name.
        keras: what Keras computes.
        reference: the same in float64.
        draws: what else float32 makes of it; fewer rows than `keras` has are the first ones.
        softmax: whether a softmax makes the output.
        stated: a tolerance that the user has stated, relative to the scale, in place of the measured one.
        computed_in: the dtype in which the file computes, where Keras computes in a narrower one.
        usual: how far the draws of other samples go, relative to the scale, where this one was not drawn.
    """
    rule = tolerance_for(computed_in or dtype_name(keras), reference="float32" if reference is None else "float64")
    if not is_inexact(keras):
        return _expect_exact(output, keras, keras if reference is None else reference, draws, rule)
    truth = keras if reference is None else reference
    own = [Draw(keras)] if computed_in is None else []
    bound = _bound([*own, *draws], truth, differences, _scale(keras, truth), rule, usual)
    if computed_in is not None:
        bound = replace(bound, tolerance=bound.tolerance + rounded_to(dtype_name(keras)) * bound.scale)
    log_bound = None
    if softmax and reference is not None:
        log_bound = _bound([*own, *draws], truth, log_errors, 1.0, rule)
    if stated is not None:
        bound = replace(bound, tolerance=max(stated * bound.scale, rule.smallest))
        log_bound = log_bound and replace(log_bound, tolerance=max(stated, rule.smallest))
    return Expectation(output, keras, truth, bound, log_bound, _kinds(keras, truth, draws))


def expect_all(
    keras: Mapping[str, np.ndarray],
    reference: Mapping[str, np.ndarray] | None,
    draws: Sequence[Mapping[str, Draw]] = (),
    softmax: frozenset[str] = frozenset(),
    *,
    stated: float | None = None,
    computed_in: Mapping[str, str] | None = None,
    usual: Mapping[str, float] | None = None,
) -> tuple[Expectation, ...]:
    """Return an expectation per output, in Keras's order; arguments as for `expect`, by output name."""
    return tuple(
        expect(
            name,
            value,
            None if reference is None else reference[name],
            [draw[name] for draw in draws],
            softmax=name in softmax,
            stated=stated,
            computed_in=(computed_in or {}).get(name),
            usual=(usual or {}).get(name, 0.0),
        )
        for name, value in keras.items()
    )


def differences(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return |value - reference|, 0 where one of them is not finite."""
    finite = np.isfinite(widest(value)) & np.isfinite(widest(reference))
    return np.abs(np.where(finite, widest(value), 0) - np.where(finite, widest(reference), 0))


def exact_differences(value: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return |value - reference| of integers, 1 where booleans or texts differ."""
    if dtype_name(value) == "string" or value.dtype == bool:
        return (value != reference).astype(np.float64)
    return np.abs(value.astype(np.float64) - reference.astype(np.float64))


def _expect_exact(
    output: str, keras: np.ndarray, truth: np.ndarray, draws: Sequence[Draw], rule: Tolerance
) -> Expectation:
    """Expect what is not rounded itself; an element that a draw changes hangs on the rounding of something else."""
    spread = _spread(
        [Draw(keras), *(replace(d, amplitude=min(d.amplitude, 1.0)) for d in draws)], truth, exact_differences
    )
    moved = spread > 0
    bound = Bound(0.0, 0.0, rule.bound(0.0, 0.0))
    if moved.any():
        bound = replace(bound, undetermined=moved, loose=DRAWS.elsewhere * float(spread.max()))
    return Expectation(output, keras, truth, bound)


def _bound(
    draws: Sequence[Draw], truth: np.ndarray, distance: Distance, scale: float, rule: Tolerance, usual: float = 0.0
) -> Bound:
    spread = _spread(draws, truth, distance)
    own = _spread([d for d in draws if not d.amplitude], truth, distance)
    undetermined = _undetermined(spread, scale)
    error, furthest = largest(own, ~undetermined), usual * scale
    if any(d.amplitude for d in draws):
        furthest = largest(spread, ~undetermined)
    tolerance = max(rule.bound(error, scale), DRAWS.factor * furthest)
    if not undetermined.any():
        return Bound(error, scale, tolerance, furthest)
    loose = min(DRAWS.elsewhere * largest(spread, undetermined), float(np.finfo(np.float64).max))
    return Bound(error, scale, tolerance, furthest, undetermined, loose)


def _spread(draws: Sequence[Draw], truth: np.ndarray, distance: Distance) -> np.ndarray:
    """Return how far the draws go from the reference, for each element; 0 for rows that were not drawn."""
    spread = np.zeros(truth.shape)
    for draw in draws:
        index = (slice(len(draw.values)),) if draw.values.ndim else ()
        found = distance(draw.values, truth[index]) / max(draw.amplitude, 1.0)
        spread[index] = np.fmax(spread[index], found)
    return spread


def _undetermined(spread: np.ndarray, scale: float) -> np.ndarray:
    """Return which elements go further than has a meaning, and far beyond what half of them do; all, if most are so."""
    typical = float(np.quantile(spread, 0.5, method="lower")) if spread.size else 0.0
    if typical > UNDETERMINED * scale:  # a chaotic map: where an element stays near the reference, that is luck
        return np.ones(spread.shape, bool)
    return spread > max(UNDETERMINED * scale, GAP * typical)


def _kinds(keras: np.ndarray, truth: np.ndarray, draws: Sequence[Draw]) -> np.ndarray | None:
    """Return the kinds of numbers that rounding makes of each element; None if all agree with Keras."""
    own = kinds_of(keras)
    with np.errstate(over="ignore"):
        kinds = own | kinds_of(truth.astype(keras.dtype))  # beyond float32 there is Inf
    for draw in draws:
        if draw.values.ndim:
            kinds[: len(draw.values)] |= kinds_of(draw.values)
        else:
            kinds = kinds | kinds_of(draw.values)
    return None if np.array_equal(kinds, own) else kinds


def _scale(keras: np.ndarray, reference: np.ndarray) -> float:
    """Return S, max |reference| where both are finite."""
    return largest(np.abs(widest(reference)), np.isfinite(widest(keras)) & np.isfinite(widest(reference)))
