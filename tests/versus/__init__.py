"""Side by side: the same tests on what fanfill and other libraries draw.

It must not know how any library makes a value.
"""
