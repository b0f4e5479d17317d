"""Answers of plugins between the choice of a node and the bind, checked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pilotfish.framework.binding import Allow, Assume, Deny, PreBind, Wait
from pilotfish.framework.plugin_call import with_text
from pilotfish.framework.rejection import Rejection


def as_assumed(kinds: Collection[str], result: Any) -> Assume | Rejection:
    """Read the answer of `reserve`."""
    if result is None:
        return Assume(())
    if not isinstance(result, Assume | Rejection):
        raise TypeError(f"it returned {result!r}, not an Assume, a Rejection or None")
    if isinstance(result, Assume):
        for kind, thing in result.objects:
            if kind not in kinds:
                raise ValueError(f"it assumed {thing.key} of {kind}, which is not in its assumes")
    return with_text(result)


def as_denied(result: Any) -> Deny | None:
    """Read the answer of `unreserve`."""
    if result is None or isinstance(result, Deny):
        return with_text(result)
    raise TypeError(f"it returned {result!r}, not a Deny or None")


def as_permitted(result: Any) -> Wait | Allow | Rejection | None:
    """Read the answer of `permit`."""
    if result is None or isinstance(result, Wait | Allow | Rejection):
        return with_text(result)
    raise TypeError(f"it returned {result!r}, not a Wait, an Allow, a Rejection or None")


def as_pre_bind(result: Any, *, can_wait: bool) -> PreBind | Rejection | None:
    """Read the answer of `pre_bind`."""
    if result is not None and not isinstance(result, PreBind | Rejection):
        raise TypeError(f"it returned {result!r}, not a PreBind, a Rejection or None")
    if isinstance(result, PreBind) and result.until is not None and not can_wait:
        raise ValueError("its until would never be asked again: its reads is empty")
    return with_text(result)


def as_until(result: Any) -> bool | Rejection:
    """Read the answer of a PreBind's `until`."""
    if isinstance(result, bool | Rejection):
        return with_text(result)
    raise TypeError(f"its until returned {result!r}, not a bool or a Rejection")
