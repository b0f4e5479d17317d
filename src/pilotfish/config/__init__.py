"""Typed configuration with upstream's defaults. Pure: no I/O, no clocks, no randomness."""
