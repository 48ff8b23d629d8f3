"""Traced TensorFlow graphs: walked, rewritten, emitted once more in another precision."""
