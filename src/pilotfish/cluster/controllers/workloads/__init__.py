"""Workloads: whoever wants pods gets them, each by its own rules; how many of them may go."""
