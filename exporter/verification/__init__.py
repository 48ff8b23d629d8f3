"""Prove that a file computes what Keras computes: samples, a float64 reference, tolerances, the comparison."""
