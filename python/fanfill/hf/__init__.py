"""Knows Hugging Face's side: a ``config.json`` and transformers' modules, as names, shapes and laws.

It must not know how values are drawn or checkpoints written, and imports transformers only when asked to.
"""
