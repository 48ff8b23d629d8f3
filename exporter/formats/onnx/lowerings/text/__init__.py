"""Lookup tables, hashes, numbers as text."""
