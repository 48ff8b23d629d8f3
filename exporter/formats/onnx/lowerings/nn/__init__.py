"""Layers with weights and windows: dense, convolution, pooling, attention, normalization."""
