"""The sampling tests: what 10^9 values and more show of laws, streams and seeds.

It must not know how a kernel makes a value.
"""
