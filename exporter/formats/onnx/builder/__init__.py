"""The ONNX graph under construction: what lowerings write nodes, constants, weights and loops with."""
