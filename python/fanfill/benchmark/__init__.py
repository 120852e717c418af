"""The benchmark of ``fanfill bench``: fanfill beside memset and other libraries, on one machine.

It knows that it exists, and must not import anything: fanfill itself never needs it.
"""
