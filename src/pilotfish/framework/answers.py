"""Answers of plugins, checked: what breaks a contract raises, and says what was expected."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from pilotfish.api.meta import KubernetesObject
from pilotfish.framework.arrays import MAX_NODE_SCORE, Mask, Scores
from pilotfish.framework.binding import Allow, Assume, Deny, Patch, PreBind, Wait
from pilotfish.framework.post_filter import Decline, Nominate
from pilotfish.framework.rejection import NodeSubset, Reject, Rejection

T = TypeVar("T")


def as_is(result: Any) -> Any:
    """Read any result."""
    return result


def as_sort_key(result: Any) -> tuple[Any, ...]:
    """Read the answer of `sort_key`; numbers stand before texts, so that any two keys compare."""
    if not isinstance(result, tuple) or not all(isinstance(v, int | float | str) for v in result):
        raise TypeError(f"it returned {result!r}, not a tuple of numbers and texts")
    return tuple((isinstance(value, str), value) for value in result)


def as_reject(result: Any) -> Reject | None:
    """Read the answer of `pre_enqueue`."""
    if result is None or isinstance(result, Reject):
        return with_text(result)
    raise TypeError(f"it returned {result!r}, not a Reject or None")


def as_pre_filtered(result: Any) -> Any:
    """Read the answer of `pre_filter`."""
    if isinstance(result, NodeSubset) and not isinstance(result.names, frozenset):
        raise TypeError(f"the names of its NodeSubset are {result.names!r}, not a frozenset")
    return with_text(result)


def as_post_filtered(result: Any) -> Nominate | Decline:
    """Read the answer of `post_filter`."""
    if isinstance(result, Nominate | Decline):
        return result
    raise TypeError(f"it returned {result!r}, not a Nominate or Decline")


def as_hits(alive: Mask, rejects: Iterable[Reject]) -> list[tuple[Reject, Mask]]:
    """Read what a filter yields, as far as it concerns nodes that are alive."""
    hits = []
    for reject in rejects:
        if not isinstance(reject, Reject):
            raise TypeError(f"it yielded {reject!r}, not a Reject")
        with_text(reject)
        hit = _array(reject.mask, "mask", alive.shape, np.dtype(np.bool_)) & alive
        if hit.any():
            hits.append((reject, hit))
    return hits


def as_scores(nodes: int, feasible: Mask | None, result: Any) -> Scores:
    """Read scores; with `feasible`, check their range over these nodes."""
    scores: Scores = _array(result, "result", (nodes,), np.dtype(np.int64))
    if feasible is not None:
        of_feasible = scores[feasible]
        for score in (int(of_feasible.min()), int(of_feasible.max())):
            if not 0 <= score <= MAX_NODE_SCORE:
                raise ValueError(f"score {score} is outside 0..{MAX_NODE_SCORE}")
    return scores


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


def with_text(result: T) -> T:
    """Read an answer that may be a rejection."""
    reason = getattr(result, "reason", "")
    if isinstance(result, Reject | Rejection | Deny) and not isinstance(reason, str):
        raise TypeError(f"the reason of its rejection is {reason!r}, not a text")
    return result


def _array(found: Any, what: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    if isinstance(found, np.ndarray) and found.dtype == dtype and found.shape == shape:
        return found
    is_array = isinstance(found, np.ndarray)
    text = f"{found.dtype}{list(found.shape)}" if is_array else repr(found)
    raise TypeError(f"its {what} must be {dtype}{list(shape)}, not {text}")


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
