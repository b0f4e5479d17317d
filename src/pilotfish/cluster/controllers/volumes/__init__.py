"""Volumes: claims are bound to volumes that suit them, and neither goes while it is in use."""
