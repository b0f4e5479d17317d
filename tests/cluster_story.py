"""Words for stories about a cluster: make pods, wait for them, look at what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from controlplane import ApiError, ControlPlane, pod_manifest, wait_until
from controlplane.waiting import WAIT_SECONDS
from embedded_plane import EmbeddedPlane
from pilotfish.api.quantity import Quantity

MakeNodes = Callable[..., list[str]]  # the fixture make_nodes
Plane: TypeAlias = ControlPlane | EmbeddedPlane


class Story:
    """Pods of one namespace."""

    def __init__(self, control_plane: Plane, namespace: str) -> None:
        self.control_plane = control_plane
        self.api = control_plane.api
        self.namespace = namespace
        self.path = f"/api/v1/namespaces/{namespace}/pods"

    def create(
        self, names: Iterable[str], *, scheduler_name: str = "my-scheduler", **options: Any
    ) -> list[dict[str, Any]]:
        """Create a pod for each name; options are those of `pod_manifest`."""
        return self.control_plane.create(
            pod_manifest(name, namespace=self.namespace, scheduler_name=scheduler_name, **options)
            for name in names
        )

    def pods(self) -> dict[str, dict[str, Any]]:
        """All pods, by name."""
        return {pod["metadata"]["name"]: pod for pod in self.api.items(self.path)}

    def node_of(self, name: str) -> str:
        """Return where a pod is bound; empty while it is pending."""
        node: str = self.api.get(f"{self.path}/{name}")["spec"].get("nodeName", "")
        return node

    def wait_bound(self, names: Sequence[str], timeout: float = WAIT_SECONDS) -> dict[str, str]:
        """Wait until all of these are bound, and return where."""

        def all_bound() -> bool:
            pods = self.pods()
            return all(pods[name]["spec"].get("nodeName") for name in names)

        wait_until(all_bound, f"{len(names)} bound pods", timeout, poll=0.1)
        pods = self.pods()
        return {name: pods[name]["spec"]["nodeName"] for name in names}

    def wait_condition(self, name: str, timeout: float = WAIT_SECONDS) -> dict[str, str]:
        """Wait until a pod has the condition PodScheduled=False, and return it."""

        def condition() -> dict[str, str] | None:
            status = self.api.get(f"{self.path}/{name}")["status"]
            found: dict[str, str]
            for found in status.get("conditions", ()):
                if found["type"] == "PodScheduled" and found["status"] == "False":
                    return found
            return None

        answer = wait_until(condition, f"PodScheduled=False on {name}", timeout)
        return answer or {}

    def events(self, name: str, reason: str) -> list[dict[str, Any]]:
        """Return the events with this reason about a pod."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self.namespace}/events"
        return [
            event
            for event in self.api.items(path)
            if event["reason"] == reason and event["regarding"]["name"] == name
        ]

    def overfilled_nodes(self) -> dict[str, str]:
        """Return the nodes whose live pods, of all namespaces, ask for more than there is."""
        requested: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for pod in self.api.items("/api/v1/pods"):
            node = pod["spec"].get("nodeName")
            if not node or pod["status"].get("phase") in {"Succeeded", "Failed"}:
                continue
            requested[node]["pods"] += 1
            for container in pod["spec"]["containers"]:
                for resource, amount in container["resources"].get("requests", {}).items():
                    requested[node][resource] += Quantity.parse(amount).milli_value()
        too_much: dict[str, str] = {}
        for node in self.api.items("/api/v1/nodes"):
            name = node["metadata"]["name"]
            for resource, amount in requested[name].items():
                there = Quantity.parse(node["status"]["allocatable"][resource])
                limit = there.value() if resource == "pods" else there.milli_value()
                if amount > limit:
                    too_much[name] = f"{amount} of {limit} {resource}"
        return too_much


def make_priority_class(control_plane: Plane, name: str, value: int) -> None:
    """Make a PriorityClass and wait until admission knows it."""
    metadata = {"name": name}
    version = "scheduling.k8s.io/v1"
    control_plane.api.create(
        {"apiVersion": version, "kind": "PriorityClass", "metadata": metadata, "value": value}
    )
    pod = pod_manifest("probe", spec={"priorityClassName": name})

    def is_known() -> bool:
        try:
            control_plane.api.request("POST", "/api/v1/namespaces/default/pods?dryRun=All", pod)
        except ApiError:
            return False
        return True

    wait_until(is_known, f"priority class {name} in admission")


def delete_lease(control_plane: Plane, name: str) -> None:
    """Delete a Lease in kube-system, if it is there."""
    path = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
    if any(lease["metadata"]["name"] == name for lease in control_plane.api.items(path)):
        control_plane.api.delete(f"{path}/{name}")
