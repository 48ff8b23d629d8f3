"""What surrounds the work: files written whole or not at all, signals, progress, quiet libraries, child processes."""
