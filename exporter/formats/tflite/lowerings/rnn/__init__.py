"""Recurrent layers, and `keras.ops.scan`."""
