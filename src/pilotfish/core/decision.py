"""The record of one attempt to place a pod; all that people see of it is rendered from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

SHOWN_NODES = 5  # how many of the best nodes, and of the tied ones, a record names


class RejectionCount(msgspec.Struct, frozen=True):
    """How many nodes one plugin rejected for one reason; rejecting the pod counts every node."""

    plugin: str
    reason: str
    nodes: int
    resolvable: bool


class NodeScore(msgspec.Struct, frozen=True):
    """The weighted scores of one node."""

    node_name: str
    total: int
    by_plugin: Mapping[str, int]


class Decision(msgspec.Struct, frozen=True, tag=True, tag_field="effect", kw_only=True):
    """One attempt at one pod.

    Attributes:
        attempt: how many attempts there were for this pod, this one included.
        outcome: "scheduled": a node was chosen. "unschedulable": no node is feasible. "error": a
            plugin failed.
        node_name: the chosen node; empty without one.
        nodes: how many nodes there are.
        feasible: how many passed every filter; of a sample, as many as were looked for.
        rejections: the others that were looked at, by plugin and reason; their counts may add up
            to more than the nodes.
        best: the best nodes' scores, best first, at most SHOWN_NODES; empty when nothing was
            scored.
        tied: how many nodes share the best score; the choice among them is by the seeded generator.
        ties: the first SHOWN_NODES of them.
        message: why there is no node, as upstream words it; empty when there is one.
        nominated_node_name: where room is made for the pod; empty where none is.
        victims: the pods, `namespace/name`, that are evicted for it.
    """

    uid: str
    namespace: str
    name: str
    scheduler_name: str
    attempt: int
    outcome: Literal["scheduled", "unschedulable", "error"]
    node_name: str = ""
    nodes: int
    feasible: int
    rejections: tuple[RejectionCount, ...] = ()
    best: tuple[NodeScore, ...] = ()
    tied: int = 0
    ties: tuple[str, ...] = ()
    message: str = ""
    nominated_node_name: str = ""
    victims: tuple[str, ...] = ()
