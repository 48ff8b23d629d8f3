"""How Keras layers and `keras.ops` functions are lowered to the form that each runtime executes best.

`override` replaces them while a model is traced; the packages below hold one lowering, or one family of ops, per file.
"""
