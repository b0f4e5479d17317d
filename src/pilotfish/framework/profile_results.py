"""What a profile says of the nodes: which are feasible, who rejected the others, how all score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from pilotfish.framework.arrays import Mask, Scores


class RejectedBy(msgspec.Struct, frozen=True):
    """Nodes that a plugin rejected for one reason.

    Attributes:
        plugin: its name; several names with spaces between them where the node subsets of several
            plugins together left the nodes out.
        resolvable: whether evicting pods could help. All reasons of one node must be resolvable.
        mask: bool[N], the nodes; None when the pod was rejected as a whole.
    """

    plugin: str
    reason: str
    resolvable: bool
    mask: Mask | None


class Filtered(msgspec.Struct, frozen=True):
    """What the filters of a profile left.

    Attributes:
        feasible: bool[N], not to be written to.
        rejections: who rejected what, in the order of the plugins; each mask marks a node or more.
        states: what each plugin's `pre_filter` returned, by plugin name; a skipped plugin is
            absent.
        searched: bool[N], the nodes to which `pre_filter` narrowed the search; None for all.
    """

    feasible: Mask
    rejections: Sequence[RejectedBy]
    states: Mapping[str, object]
    searched: Mask | None = None


class Scored(msgspec.Struct, frozen=True):
    """What the scores of a profile are.

    Attributes:
        by_plugin: int64[N] each, normalised and weighted; skipped plugins are absent.
        total: int64[N], their sum. Only entries of feasible nodes mean anything.
    """

    by_plugin: Mapping[str, Scores]
    total: Scores
