"""Kubernetes objects as frozen Structs, quantities and selectors.

Pure: no I/O, no clocks, no randomness.
"""
