"""What moves elements and leaves them as they are: shapes, slices, gathers, scatters, joins, sorting."""
