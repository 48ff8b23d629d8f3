"""Lambda layers rewritten into plain `keras.ops` nodes: the same function, stored as data, with no code of ours."""

from __future__ import annotations

from exporter.lambdas.removal import Removal, Replaced, remove_lambdas, rewrite_lambdas

__all__ = ["Removal", "Replaced", "remove_lambdas", "rewrite_lambdas"]
