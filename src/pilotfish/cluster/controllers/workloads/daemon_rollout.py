"""Rolling updates of DaemonSets: which pods go, and which nodes get a new one beside the old.

Source: kubernetes v1.36 pkg/controller/daemon/{daemon_controller,update}.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from pilotfish.cluster.controllers.pod_index import PodInfo
from pilotfish.cluster.controllers.workloads.controller_revisions import REVISION_HASH
from pilotfish.cluster.controllers.workloads.replica_counts import scaled_value
from pilotfish.cluster.objects import JsonObject

GENERATION: Final = "deprecated.daemonset.template.generation"
GENERATION_LABEL: Final = "pod-template-generation"


class DaemonStep(msgspec.Struct, frozen=True):
    """One daemon set in one sync."""

    owner: JsonObject
    places: Mapping[str, tuple[bool, bool]]
    """Of each node: whether a pod should be started there, and whether one may stay."""
    digest: str
    by_node: Mapping[str, Sequence[PodInfo]]
    now: float

    @property
    def wanted(self) -> int:
        """On how many nodes a pod should run."""
        return sum(should_run for should_run, _ in self.places.values())

    @property
    def surges(self) -> bool:
        """Whether a new pod may start before the old one of its node is gone."""
        return self.most("maxSurge", 1) > 0

    def most(self, field: str, wanted: int) -> int:
        """Read a bound of the rolling update; zero where there is none."""
        strategy = self.owner["spec"].get("updateStrategy") or {}
        given = strategy.get("rollingUpdate") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return 0
        return scaled_value(given.get(field), wanted, round_up=True)

    def is_available(self, pod: PodInfo) -> bool:
        """Say whether a pod has been ready for long enough."""
        return pod.is_available(self.owner["spec"].get("minReadySeconds", 0), self.now)

    def next_available(self) -> float | None:
        """Give when the next pod that is ready will be available."""
        seconds = self.owner["spec"].get("minReadySeconds", 0)
        pods = (pod for pods in self.by_node.values() for pod in pods)
        ends = (pod.ready_since + seconds for pod in pods if pod.ready_since is not None)
        return min((end for end in ends if end > self.now), default=None)

    def is_updated(self, pod: PodInfo) -> bool:
        """Say whether a pod is of this template, by its hash or, made elsewhere, its generation."""
        generation = (self.owner["metadata"].get("annotations") or {}).get(GENERATION)
        return pod.labels.get(REVISION_HASH) == self.digest or (
            generation is not None and pod.labels.get(GENERATION_LABEL) == generation
        )

    def by_revision(self, node: str) -> tuple[list[PodInfo], list[PodInfo]]:
        """Give the pods of a node that stay, those of this template and the others."""
        pods = [pod for pod in self.by_node.get(node, ()) if not pod.is_terminating]
        new = [pod for pod in pods if self.is_updated(pod)]
        return new, [pod for pod in pods if pod not in new]


def crowded_out(step: DaemonStep, running: Sequence[PodInfo]) -> list[PodInfo]:
    """Give the pods of one node that another of them makes superfluous.

    Where pods surge, an old one that is ready stays until a new one is available.
    """
    ordered = sorted(running, key=lambda pod: not pod.node_name)  # bound ones stay
    if not step.surges:
        return ordered[1:]
    new = [pod for pod in ordered if pod.labels.get(REVISION_HASH) == step.digest]
    old = [pod for pod in ordered if pod not in new]
    is_replaced = new and old and (not old[0].is_ready or step.is_available(new[0]))
    return new[1:] + (old if is_replaced else old[1:])


def rolling_update(step: DaemonStep) -> tuple[list[PodInfo], list[str]]:
    """Give the old pods to delete now, and the nodes to start another pod on."""
    if (step.owner["spec"].get("updateStrategy") or {}).get("type") == "OnDelete":
        return [], []
    surge = step.most("maxSurge", step.wanted)
    return _surge(step, surge) if surge else (_replace(step), [])


def _replace(step: DaemonStep) -> list[PodInfo]:
    """Give the pods to replace, so that not too many are unavailable."""
    allowed = step.most("maxUnavailable", step.wanted) or 1
    broken: list[PodInfo] = []
    candidates: list[PodInfo] = []
    unavailable = 0
    for name, (should_run, _) in step.places.items():
        new, old = step.by_revision(name)
        if len(new) + len(old) != 1:
            unavailable += should_run or name in step.by_node
        elif not step.is_available((new or old)[0]):
            unavailable += 1
            broken += old
        else:
            candidates += old
    return broken + candidates[: max(0, allowed - unavailable)]


def _surge(step: DaemonStep, allowed: int) -> tuple[list[PodInfo], list[str]]:
    """Replace pods without losing any that is available."""
    doomed: list[PodInfo] = []
    misplaced: list[PodInfo] = []
    urgent: list[str] = []
    candidates: list[str] = []
    available = surging = 0
    for name, (should_run, _) in step.places.items():
        new, old = step.by_revision(name)
        if len(new) > 1 or len(old) > 1:
            surging += 1
            continue
        is_available = any(step.is_available(pod) for pod in (old or new))
        available += is_available
        if new and old:
            if step.is_available(new[0]):
                doomed += old
            else:
                surging += 1
        elif old and should_run:
            (candidates if is_available else urgent).append(name)
        elif is_available:
            misplaced += old
        else:
            doomed += old
    doomed += misplaced[: max(0, available - step.wanted)]
    return doomed, urgent + candidates[: max(0, allowed - surging)]
