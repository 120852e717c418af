"""Knows what random weights do to a signal: activations and their gains, theory, and layers that are run.

It must not know files, plans or frameworks, and writes no memory but its own.
"""
