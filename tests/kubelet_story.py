"""Stories of the simulated kubelets on a virtual clock: a cluster without controllers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.kinds import NODES, PODS, SERVICE_ACCOUNTS
from pilotfish.cluster.kubelet import kubelets_of
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.settings import ClusterSettings, Delay, KubeletSettings, NodeGroup

START = 1_800_000_000.0  # 2027-01-15T08:00:00Z
EXACT = KubeletSettings(
    sandbox=Delay(1.0),
    pull=Delay(2.0),
    start=Delay(1.0),
    init=Delay(3.0),
    job=Delay(20.0),
    crash=Delay(2.0),
    stop=Delay(1.0),
)
"""Every stage takes whole seconds: a pod with one container runs after four."""


class Story:
    """A cluster whose kubelets alone act.

    Args:
        groups: its nodes; one group of two without.
        settings: of the kubelets.
    """

    def __init__(self, *groups: NodeGroup, settings: KubeletSettings = EXACT) -> None:
        nodes = groups or (NodeGroup(count=2),)
        whole = ClusterSettings(node_groups=nodes, kubelet=settings, root_ca="the CA")
        self.now = START
        self.cluster = Cluster(rng=random.Random(1), settings=whole, now=START)
        self.client = self.cluster.client
        self.kubelets = kubelets_of(self.client)
        account = {"metadata": {"name": "default", "namespace": "default"}}
        self.client.create(SERVICE_ACCOUNTS, account, self.now)
        self.run(0)

    def run(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + seconds
        while True:
            before = self.client.store.resource_version
            deadline = self.kubelets.sync(self.now)
            if self.client.store.resource_version != before:
                continue
            self.kubelets.check_invariants()
            if deadline is None or deadline > end:
                self.now = end
                return
            self.now = deadline

    def create(
        self,
        name: str,
        *,
        node: str = "node-1",
        containers: Sequence[JsonObject] = ({},),
        annotations: dict[str, str] | None = None,
        **rest: Any,
    ) -> None:
        """Create a pod that is bound already; what its containers leave out is made up."""
        metadata = rest.pop("metadata", {}) | {"annotations": annotations or {}}
        metadata |= {"name": name, "namespace": "default"}
        spec = {
            "nodeName": node,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "containers": [_container(i, c) for i, c in enumerate(containers)],
            **rest,
        }
        self.client.create(PODS, {"metadata": metadata, "spec": spec}, self.now)
        self.run(0)

    def delete(self, name: str, grace_period_seconds: int | None = None) -> None:
        """Delete a pod as a client does."""
        self.client.delete(
            PODS, "default", name, self.now, grace_period_seconds=grace_period_seconds
        )
        self.run(0)

    def annotate_node(self, name: str, key: str, value: str | None) -> None:
        """Set an annotation of a node, or take it away."""
        patch = {"metadata": {"annotations": {key: value}}}
        self.client.patch(NODES, "", name, patch, self.now)
        self.run(0)

    def annotate_pod(self, name: str, key: str, value: str | None) -> None:
        """Set an annotation of a pod, or take it away."""
        patch = {"metadata": {"annotations": {key: value}}}
        self.client.patch(PODS, "default", name, patch, self.now)
        self.run(0)

    def find(self, name: str) -> JsonObject | None:
        """Give a pod, or None."""
        return self.client.get(PODS, "default", name)

    def status(self, name: str) -> JsonObject:
        """Give a pod's status."""
        pod = self.find(name)
        assert pod is not None
        status: JsonObject = pod["status"]
        return status

    def phase(self, name: str) -> str:
        """Give a pod's phase."""
        return str(self.status(name)["phase"])

    def container(self, name: str) -> JsonObject:
        """Give the status of a pod's first container."""
        first: JsonObject = self.status(name)["containerStatuses"][0]
        return first

    def condition(self, name: str, kind: str) -> JsonObject:
        """Give a condition of a pod."""
        found: JsonObject = next(c for c in self.status(name)["conditions"] if c["type"] == kind)
        return found

    def node_condition(self, name: str, kind: str) -> JsonObject:
        """Give a condition of a node."""
        node = self.client.get(NODES, "", name)
        assert node is not None
        found: JsonObject = next(c for c in node["status"]["conditions"] if c["type"] == kind)
        return found

    def events(self, name: str) -> list[str]:
        """Give the Events about an object, oldest first: `Reason: message`."""
        resource = TABLE.get("", "v1", "events")
        assert resource is not None
        found = [e for e in self.client.list(resource) if e["involvedObject"]["name"] == name]
        found.sort(key=lambda event: int(event["metadata"]["name"].rpartition(".")[2], 16))
        return [f"{event['reason']}: {event['message']}" for event in found]


def _container(index: int, given: JsonObject) -> JsonObject:
    return {"name": f"c{index}", "image": "nginx", "imagePullPolicy": "IfNotPresent", **given}
