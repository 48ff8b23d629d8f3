"""What moves elements and leaves them as they are: slices, scatters, diagonals, partitions."""
