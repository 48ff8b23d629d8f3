"""Layers with weights and windows: convolution, pooling, normalization, losses."""
