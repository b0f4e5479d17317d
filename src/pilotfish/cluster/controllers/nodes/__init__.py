"""Nodes: what becomes of a node, and of the pods on it, when it fails, is tainted or is gone."""
