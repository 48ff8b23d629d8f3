"""Fusions: what people spell out in single steps, and the one op that is written for it."""
