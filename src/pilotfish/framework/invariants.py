"""What must hold after every change, checked by tests and on demand."""

from __future__ import annotations


class BrokenInvariantError(AssertionError):
    """Incremental state differs from what it should be: a bug."""


def require(holds: object, claim: str) -> None:
    """Raise BrokenInvariantError unless the claim holds, that is, `holds` is true or not empty."""
    if not holds:
        raise BrokenInvariantError(claim)
