"""Tests of the tests: errors planted in a copy of the core, each of which a named test must see.

It must not know how the tests work; the product has no hook for any of this.
"""
