"""Knows safetensors checkpoints on disk: laid out from a plan, written, resumed, read back and verified.

It must not know how values are drawn, nor of frameworks or the command line.
"""
