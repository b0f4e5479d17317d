"""Upstream's plugins, one file each, vectorised over the NodeTable.

Pure: no I/O, no clocks, no randomness.
"""
