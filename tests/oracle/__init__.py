"""The value contract (docs/contract.md) a second time, in NumPy and the standard library, slow and plain.

It must not import fanfill, and was written from the contract's text instead of from the kernels.
"""
