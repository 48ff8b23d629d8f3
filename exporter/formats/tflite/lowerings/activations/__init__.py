"""Activation functions in forms that keep their tails and stay within XNNPACK."""
