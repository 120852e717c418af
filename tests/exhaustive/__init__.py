"""The exhaustive proof of the transforms: every word, tail word and pattern that the contract can meet.

It must not know how a kernel makes a value.
"""
