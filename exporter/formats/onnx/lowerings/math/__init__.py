"""Arithmetic: elementwise functions, reductions, products, linear algebra, Fourier transforms."""
