"""Arithmetic: elementwise functions, products, linear algebra, Fourier transforms."""
