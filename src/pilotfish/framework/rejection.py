"""How a plugin says no. Rejections are counted, errors are raised."""

from __future__ import annotations

from typing import Final

import msgspec

from pilotfish.framework.arrays import Mask


class Reject(msgspec.Struct, frozen=True):
    """A vectorised plugin's no to some nodes, or from `pre_filter` to the pod as a whole.

    Attributes:
        mask: bool[N], True where the node is rejected; None means every node, which only
            `pre_filter` says.
        reason: short and static, without names of objects; it is counted and shown to people.
        resolvable: whether evicting pods could help (upstream's Unschedulable); False is
            upstream's UnschedulableAndUnresolvable.
    """

    mask: Mask | None
    reason: str
    resolvable: bool = True


class Rejection(msgspec.Struct, frozen=True):
    """A per-node plugin's no to one node."""

    reason: str
    resolvable: bool = True


class NodeSubset(msgspec.Struct, frozen=True):
    """From `pre_filter`: only these nodes are worth filtering.

    Attributes:
        names: the nodes' names; unknown ones are allowed.
        state: what `filter` is given as `state`.
    """

    names: frozenset[str]
    state: object = None


class Skip(msgspec.Struct, frozen=True):
    """From `pre_filter` or `pre_score`: the plugin has nothing to say about the pod."""


SKIP: Final = Skip()
