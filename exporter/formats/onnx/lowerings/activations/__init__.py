"""Activation functions, and the layers that apply them."""
