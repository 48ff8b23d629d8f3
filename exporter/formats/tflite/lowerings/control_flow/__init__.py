"""Loops of a fixed number of turns, and tensor lists."""
