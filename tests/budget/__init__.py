"""Instruction budgets of the kernels: how they are measured, and their figures in budgets.json.

It must not know how a kernel works, nor take any time: every figure here is the same on every run.
"""
