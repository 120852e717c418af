"""A checkpoint's writer killed at random points, and what `resume` makes of what is left.

It must not know how a file is written.
"""
