"""Measurements of what docs/design/0004-pages.md and 0005-threads.md decide: pages, stores, threads, regions.

They must not know other libraries, nor what the figures ought to be.
"""
