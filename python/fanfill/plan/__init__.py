"""Knows what a plan is: parameters and a seed, as text, as a table, and over the tensors that a caller has.

It must not know of recipes, models or frameworks, nor how a value is drawn or a file is laid out.
"""
