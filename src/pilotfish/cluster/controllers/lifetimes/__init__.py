"""Lifetimes: what a namespace begins with, and what goes with its namespace, owner or time."""
