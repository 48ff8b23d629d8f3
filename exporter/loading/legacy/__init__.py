"""Model files of Keras 2 (tf.keras and tf-keras, `.h5` and `.keras`), read with the meaning that they had there.

    version.py       which Keras wrote the file
    translation.py   the config, as data: every object gets the name and the arguments that Keras 3 knows it by
    families/        the layers, by family: what Keras 3 calls, computes or stores differently
    wiring.py        the graph of a Functional model, whose nodes Keras 2 stored as lists
    tensorflow_ops.py  calls of `tf.*` on Keras tensors, which became layers
    weights.py       the arrays, by the names and the order that Keras 2 gave them
    training.py      loss, metrics, optimizer and its state

What cannot be carried over is refused by name or noted; nothing is guessed.
"""
