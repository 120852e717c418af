"""The matrix of bit equality: random fills in every build that people might make, all with the same bits.

It must not know what the bits are.
"""
