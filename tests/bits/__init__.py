"""Batteries of tests of the raw words in eight orders: dieharder, and a set of our own.

It must not know how a word is made.
"""
