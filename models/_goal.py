"""What a trained model must reach on its test set."""

from __future__ import annotations

from dataclasses import dataclass

from exporter.errors import ExporterError


class GoalMissedError(ExporterError):
    """A model was trained, but is worse on its test set than its file declares."""


@dataclass(frozen=True)
class Goal:
    """The least value of a metric on the test set; larger is better.

    Args:
        metric: name of the metric, for people ("accuracy").
        least: the smallest value that passes.
    """

    metric: str
    least: float

    def check(self, model: str, value: float) -> None:
        """Do nothing if `value` reaches the goal.

        Raises:
            GoalMissedError: if it does not, or is NaN.
        """
        if not value >= self.least:
            raise GoalMissedError(
                "a model misses its goal on the test set",
                where=f"models/{model}.py",
                reason=f"{self.metric} is {value:.4f}, at least {self.least} is declared",
                remedy="train longer, or with another seed; both are constants of that file",
            )
