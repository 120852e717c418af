"""What the long batteries share: result files, builds of a single C++ target and p-values.

It must not know what any battery counts.
"""
