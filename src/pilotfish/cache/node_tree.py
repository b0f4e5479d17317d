"""The order in which a sample of the nodes is searched: zones take turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain, zip_longest
from typing import Final

import numpy as np

from pilotfish.framework.arrays import RowNumbers
from pilotfish.framework.invariants import require

# The older label of each pair wins where a node has both.
ZONE_LABELS: Final = (
    "failure-domain.beta.kubernetes.io/zone",
    "topology.kubernetes.io/zone",
)
REGION_LABELS: Final = (
    "failure-domain.beta.kubernetes.io/region",
    "topology.kubernetes.io/region",
)

_Zone = tuple[str, str]  # region and zone


class NodeTree:
    """Nodes by zone, each in the order in which they came.

    A node that moves to another zone is the last one there; a zone that lost its last node is the
    last zone when it comes back.

    Source: kubernetes v1.36 pkg/scheduler/backend/cache/node_tree.go,
        staging/src/k8s.io/component-helpers/node/topology/helpers.go (GetZoneKey).
    """

    def __init__(self) -> None:
        self._zones: dict[_Zone, dict[str, None]] = {}
        self._zone_of: dict[str, _Zone] = {}
        self._rows: RowNumbers | None = None

    def set(self, name: str, labels: Mapping[str, str]) -> None:
        """Insert a node, or move it to the zone that its labels say."""
        zone = (_first(REGION_LABELS, labels), _first(ZONE_LABELS, labels))
        if self._zone_of.get(name) == zone:
            return
        self.remove(name)
        self._zones.setdefault(zone, {})[name] = None
        self._zone_of[name] = zone

    def remove(self, name: str) -> None:
        """Remove a node, if it is there."""
        self._rows = None
        zone = self._zone_of.pop(name, None)
        if zone is not None:
            nodes = self._zones[zone]
            del nodes[name]
            if not nodes:
                del self._zones[zone]

    def names(self) -> Sequence[str]:
        """List the first node of each zone, then the second ones, and so on."""
        rounds = zip_longest(*self._zones.values())
        return [name for name in chain.from_iterable(rounds) if name is not None]

    def rows(self, row_of: Mapping[str, int]) -> RowNumbers:
        """intp[N]: the nodes' rows in this order; found at first use, then kept until one moves."""
        if self._rows is None:
            self._rows = np.array([row_of[name] for name in self.names()], dtype=np.intp)
            self._rows.setflags(write=False)
        return self._rows

    def check_invariants(self, row_of: Mapping[str, int]) -> None:
        """Raise BrokenInvariantError unless each known node has one place."""
        require(sorted(self.rows(row_of)) == list(range(len(row_of))), "a node is searched once")
        for zone, nodes in self._zones.items():
            require(bool(nodes), f"zone {zone} has a node")


def _first(keys: Sequence[str], labels: Mapping[str, str]) -> str:
    return next((labels[key] for key in keys if key in labels), "")
