"""Chance that can be repeated."""

from __future__ import annotations

import random


def repeatable(seed: int) -> random.Random:
    """Return chance that a seed repeats: for choices among equals, never for secrets."""
    return random.Random(seed)  # noqa: S311 - as said
