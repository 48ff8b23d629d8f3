"""Fusions: what people spell out in single steps, and what a lowering writes for the same function.

One file per function, with its spellings as patterns over the nodes that the steps become.
"""
