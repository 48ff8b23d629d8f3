"""Recurrent layers, and `keras.backend.rnn`."""
