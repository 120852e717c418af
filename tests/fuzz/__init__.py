"""Fuzzing of what reads files that others wrote; it must not know the command line."""
