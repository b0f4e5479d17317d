"""Pending pods for which room is being made, and the pods in place that were asked to go for them.

Theory of operation: a nomination begins when a preemptor's node is chosen, before the API server
knows it, or when the API server shows it. It ends when the pod is placed or gone, when it is void,
or when the API server, having shown it, shows it no more. A pod was asked to go from the eviction
until the API server shows that it goes, or the eviction failed.

Source: kubernetes v1.36 pkg/scheduler/backend/queue/nominator.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from pilotfish.framework.invariants import require
from pilotfish.framework.pod_info import PodInfo


class Nominations:
    """Nominated pods by node, and the evictions under way.

    Attributes:
        evicting: the uids of pods that were asked to go and do not show it yet.
    """

    def __init__(self) -> None:
        self._by_node: dict[str, dict[str, PodInfo]] = {}
        self._node_of: dict[str, str] = {}
        self._shown: set[str] = set()
        self.evicting: set[str] = set()

    @property
    def by_node(self) -> Mapping[str, tuple[PodInfo, ...]]:
        """The nominated pods, by node."""
        if not self._by_node:
            return {}
        return {name: tuple(pods.values()) for name, pods in self._by_node.items()}

    def node_of(self, uid: str) -> str:
        """Return a pod's nominated node; empty without one."""
        return self._node_of.get(uid, "")

    def nominate(self, pod: PodInfo) -> None:
        """Nominate a pod for the node that it names."""
        self.forget(pod.uid)
        self._node_of[pod.uid] = pod.node_name
        self._by_node.setdefault(pod.node_name, {})[pod.uid] = pod

    def shown(self, pod: PodInfo) -> None:
        """Take a nomination that the API server shows."""
        self.nominate(pod)
        self._shown.add(pod.uid)

    def not_shown(self, uid: str) -> None:
        """Note that the API server shows no nomination of a pending pod."""
        if uid in self._shown:
            self.forget(uid)

    def forget(self, uid: str) -> None:
        """End a pod's nomination, if it has one."""
        self._shown.discard(uid)
        node_name = self._node_of.pop(uid, None)
        if node_name is not None:
            pods = self._by_node[node_name]
            del pods[uid]
            if not pods:
                del self._by_node[node_name]

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where the two indexes differ."""
        indexed = {uid: name for name, pods in self._by_node.items() for uid in pods}
        require(indexed == self._node_of, "a nominated pod is indexed under its node")
        require(self._shown <= self._node_of.keys(), "what is shown is a nomination")
