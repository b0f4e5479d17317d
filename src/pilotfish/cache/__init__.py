"""The cluster as the scheduler sees it, kept incrementally.

Pure: no I/O, no clocks, no randomness.
"""
