"""Passes over the traced graph, before the converter gets it."""
