"""The cluster beyond the nodes' own columns, as plugins may read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import (
    Namespace,
    PodDisruptionBudget,
)
from pilotfish.framework.arrays import Ids, RowNumbers
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodSelector, PodTerm
from pilotfish.framework.volumes import Volumes


class PodCounts(msgspec.Struct, frozen=True):
    """How many pods each node has, of those that some selectors select.

    Attributes:
        all: int32[N]; pod affinity goes by it.
        staying: int32[N], without those that are being deleted; topology spread goes by it.
    """

    all: Ids
    staying: Ids


class TermCounts(msgspec.Struct, frozen=True):
    """How many pods on each node have this term.

    Attributes:
        pods: int32[N].
    """

    term: PodTerm
    pods: Ids


class Cluster(Protocol):
    """What `pre_filter` may read. Arrays are read-only and good until the cycle ends."""

    @property
    def nodes(self) -> NodeTable:
        """All nodes."""

    @property
    def search_order(self) -> RowNumbers:
        """intp[N]: the rows in the order in which a sample of the nodes is searched."""

    @property
    def namespaces(self) -> Mapping[str, Namespace]:
        """All namespaces, by name."""

    @property
    def budgets(self) -> Mapping[str, PodDisruptionBudget]:
        """All disruption budgets, by uid."""

    @property
    def volumes(self) -> Volumes:
        """All volumes and claims, and what belongs to them."""

    @property
    def nominated_pods(self) -> Mapping[str, Sequence[PodInfo]]:
        """The pending pods for which room is being made, by the node."""

    def nominated_node(self, pod: Pod) -> str:
        """Return the node on which room is being made for a pod; empty without one."""

    def is_being_preempted(self, pod: PodInfo) -> bool:
        """Say whether a pod in place is on its way out because preemption wants it so."""

    def matching_pods(self, *selectors: PodSelector) -> PodCounts:
        """Count the pods in place that all these selectors select."""

    def terms_on(self, pod: Pod) -> Iterator[TermCounts]:
        """List the affinity terms of pods in place that select this pod."""

    def default_selector(self, pod: Pod) -> LabelSelector:
        """Select the pods of the same services and controller; empty where there are none."""
