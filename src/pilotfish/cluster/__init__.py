"""A whole cluster in memory: storage, admission, controllers, simulated kubelets.

Pure: no I/O, no clocks, no randomness but what callers pass in.
"""
