"""For people who write layers: the decorator, the annotations that a config can hold, registration with Keras."""
