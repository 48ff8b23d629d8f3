"""What would go wrong, found before the work starts and reported together. One rule per file.

A rule takes the model and the options and yields problems:

    @RULES.register("state")
    def state(source: Source, options: Options) -> Iterator[Problem]: ...
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from exporter.registry import Registry, import_submodules
from exporter.spec import Options, Problem

if TYPE_CHECKING:
    from exporter.source import Source

Rule = Callable[["Source", Options], Iterable[Problem]]

RULES: Registry[Rule] = Registry("check")
COSTLY: Registry[Rule] = Registry("costly check")  # rules that take seconds: `exporter.check` runs them, exports do not


def find_problems(source: Source, options: Options, *, costly: bool = False) -> tuple[Problem, ...]:
    """Run every rule; return what they found for the formats asked for, errors first.

    Args:
        source: the model.
        options: what is asked for.
        costly: whether to run the rules that take seconds, too.
    """
    import_submodules(__name__)
    rules = {**RULES, **(COSTLY if costly else {})}
    found = [problem for name in sorted(rules) for problem in rules[name](source, options)]
    wanted = [p for p in found if not p.formats or set(p.formats) & set(options.formats)]
    return tuple(sorted(wanted, key=lambda p: p.severity != "error"))
