"""Lowerings to ONNX: one Keras layer, `keras.ops` function or TensorFlow op family per file."""
