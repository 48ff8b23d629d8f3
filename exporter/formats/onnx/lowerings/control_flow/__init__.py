"""Branches, loops, and the tensor lists that loops write."""
