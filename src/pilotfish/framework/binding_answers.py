"""Answers of plugins between the choice of a node and the bind, checked."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.framework.binding import Allow, Assume, Deny, Patch, PreBind, Wait
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
            if not isinstance(thing, KubernetesObject):
                raise TypeError(f"it assumed {thing!r}, which is no object")
            if kind not in kinds:
                raise ValueError(f"it assumed {thing.key} of {kind}, which is not in its assumes")
    return with_text(result)


def as_denied(result: Any) -> Deny | None:
    """Read the answer of `unreserve`."""
    if isinstance(result, Deny):
        _check_uids(result.uids)
    if result is None or isinstance(result, Deny):
        return with_text(result)
    raise TypeError(f"it returned {result!r}, not a Deny or None")


def as_permitted(result: Any) -> Wait | Allow | Rejection | None:
    """Read the answer of `permit`."""
    match result:
        case Wait():
            _check_seconds(result.timeout_seconds)
        case Allow():
            _check_uids(result.uids)
    if result is None or isinstance(result, Wait | Allow | Rejection):
        return with_text(result)
    raise TypeError(f"it returned {result!r}, not a Wait, an Allow, a Rejection or None")


def as_pre_bind(result: Any, *, can_wait: bool) -> PreBind | Rejection | None:
    """Read the answer of `pre_bind`."""
    if result is not None and not isinstance(result, PreBind | Rejection):
        raise TypeError(f"it returned {result!r}, not a PreBind, a Rejection or None")
    if isinstance(result, PreBind):
        _check_seconds(result.timeout_seconds)
        for write in result.writes:
            _check_patch(write)
    if isinstance(result, PreBind) and result.until is not None and not can_wait:
        raise ValueError("its until would never be asked again: its reads is empty")
    return with_text(result)


def as_until(result: Any) -> bool | Rejection:
    """Read the answer of a PreBind's `until`."""
    if isinstance(result, bool | Rejection):
        return with_text(result)
    raise TypeError(f"its until returned {result!r}, not a bool or a Rejection")


def _check_uids(uids: Any) -> None:
    if not isinstance(uids, tuple) or not all(isinstance(uid, str) for uid in uids):
        raise TypeError(f"its uids are {uids!r}, not a tuple of texts")


def _check_seconds(seconds: Any) -> None:
    if not isinstance(seconds, int | float) or not seconds >= 0:
        raise ValueError(f"its timeout_seconds is {seconds!r}, not a number from 0 on")


def _check_patch(patch: Any) -> None:
    if not isinstance(patch, Patch):
        raise TypeError(f"it writes {patch!r}, which is no Patch")
    msgspec.convert(msgspec.to_builtins(patch), Patch)
