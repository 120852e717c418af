"""Studies that need a clone: port bounds, clocks, stores, quantile; the rest is ``fanfill.benchmark``.

It knows that they exist, and must not know how any library makes its values.
"""
