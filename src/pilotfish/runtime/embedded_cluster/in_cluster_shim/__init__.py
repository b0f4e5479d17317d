"""A folder for PYTHONPATH: its `sitecustomize` runs in processes that play containers."""
