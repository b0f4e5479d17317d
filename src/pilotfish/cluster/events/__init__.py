"""Events: seen in two API groups, written about what the cluster does, and forgotten in time."""
