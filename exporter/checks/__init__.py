"""What would go wrong, found before the work starts and reported together. One rule per file.

A rule takes the model and the options and yields problems:

    @RULES.register("state")
    def state(source: Source, options: Options) -> Iterator[Problem]: ...

A rule in `GRAPH` takes the inference function in place of the model, and looks at what Keras traces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from exporter.errors import UnsupportedError
from exporter.registry import Registry, import_submodules
from exporter.spec import Options, Problem

if TYPE_CHECKING:
    from exporter.capture.inference import Inference
    from exporter.capture.source import Source

Rule = Callable[["Source", Options], Iterable[Problem]]
GraphRule = Callable[["Inference", Options], Iterable[Problem]]

RULES: Registry[Rule] = Registry("check")
GRAPH: Registry[GraphRule] = Registry("check of the graph")
COSTLY: Registry[Rule] = Registry("costly check")  # rules that take seconds: `exporter.check` runs them, exports do not


def find_problems(
    source: Source, options: Options, inference: Inference | None = None, *, costly: bool = False
) -> tuple[Problem, ...]:
    """Run every rule; return what they found for the formats asked for, errors first.

    Args:
        source: the model.
        options: what is asked for.
        inference: the model's inference function, whose graph is looked at too; None: it is not.
        costly: whether to run the rules that take seconds, too.
    """
    import_submodules(__name__)
    rules = {**RULES, **(COSTLY if costly else {})}
    found = [problem for name in sorted(rules) for problem in rules[name](source, options)]
    found += _in_graph(inference, options) if inference is not None else []
    wanted = [p for p in found if not p.formats or set(p.formats) & set(options.formats)]
    return tuple(sorted(wanted, key=lambda p: p.severity != "error"))


def _in_graph(inference: Inference, options: Options) -> list[Problem]:
    """Run the rules on what Keras traces; where it does not trace the model, the formats say so."""
    try:
        return [problem for name in sorted(GRAPH) for problem in GRAPH[name](inference, options)]
    except UnsupportedError:
        return []
