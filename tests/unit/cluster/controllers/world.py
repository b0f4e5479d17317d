"""A cluster with only its controllers running, on a clock that the test moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.controllers import Controllers, controllers_of
from pilotfish.cluster.kinds import (
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
)
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.timestamps import timestamp

Json = dict[str, Any]
START = 1_800_000_000.0


class World:
    """Objects by short calls; time moves only in `settle` and `advance`."""

    def __init__(self, seed: int = 1) -> None:
        settings = ClusterSettings(root_ca="the CA")
        self.now = START
        self.cluster = Cluster(rng=random.Random(seed), settings=settings, now=START)
        self.client = self.cluster.client
        self.namespace = "default"
        self.controllers: Controllers = controllers_of(self.client)[0]
        if self.client.store.get("namespaces", "", "default") is None:
            self.create(NAMESPACES, {"metadata": {"name": "default"}})
        self._rest()

    def create(self, resource: Resource, obj: Json) -> Json:
        """Create an object, in the present namespace unless it names one."""
        if resource.namespaced:
            obj["metadata"].setdefault("namespace", self.namespace)
        return self.client.create(resource, obj, self.now)

    def enter(self, namespace: str) -> None:
        """Create a namespace, and work in it from now on."""
        self.create(NAMESPACES, {"metadata": {"name": namespace}})
        self.namespace = namespace
        self._rest()

    def get(self, resource: Resource, name: str) -> Json:
        """Give an object that must be there."""
        found = self.find(resource, name)
        assert found is not None, f"there is no {resource.kind} {name}"
        return found

    def find(self, resource: Resource, name: str) -> Json | None:
        """Give an object, or None."""
        return self.client.get(resource, self.namespace if resource.namespaced else "", name)

    def all(self, resource: Resource) -> list[Json]:
        """Give all objects of the present namespace, or of the cluster."""
        return list(self.client.list(resource, self.namespace if resource.namespaced else ""))

    def names(self, resource: Resource) -> list[str]:
        """Give their names."""
        return [obj["metadata"]["name"] for obj in self.all(resource)]

    def change(self, resource: Resource, name: str, edit: Callable[[Json], object]) -> Json:
        """Edit an object and write it back."""
        obj = self.get(resource, name)
        edit(obj)
        return self.client.update(resource, obj, self.now)

    def delete(self, resource: Resource, name: str, **options: Any) -> None:
        """Delete an object of the present namespace, or of the cluster."""
        namespace = self.namespace if resource.namespaced else ""
        self.client.delete(resource, namespace, name, self.now, **options)

    def events(self, reason: str) -> list[str]:
        """Give the messages of the events with a reason, oldest first."""
        found = [event for event in self.all(EVENTS) if event["reason"] == reason]
        return [event["message"] for event in sorted(found, key=_version)]

    def settle(self, seconds: float = 0.2) -> None:
        """Let the controllers work for a moment, without any pod changing."""
        self.advance(seconds)

    def advance(self, seconds: float, tick: Callable[[], object] | None = None) -> None:
        """Let time pass, from one deadline of the controllers to the next.

        Args:
            seconds: How long.
            tick: What is done whenever the controllers rest, such as `run_pods`.
        """
        end = self.now + seconds
        while True:
            deadline = self._rest()
            if tick is not None:
                version = self.client.store.resource_version
                tick()
                if self.client.store.resource_version != version:
                    continue
            if deadline is None or deadline > end:
                self.now = end
                return
            self.now = max(self.now, deadline)

    def _rest(self) -> float | None:
        """Run the controllers until nobody writes."""
        for _ in range(1000):
            version = self.client.store.resource_version
            deadline = self.controllers.sync(self.now)
            if self.client.store.resource_version == version:
                return deadline
        raise AssertionError("the controllers never rest")

    def run_pods(self, *, ready: bool = True) -> None:
        """Do what kubelets do: start all pods, and end those that are being deleted."""
        for pod in self.client.list(PODS):
            if "deletionTimestamp" in pod["metadata"]:
                self._end(pod)
            elif (pod.get("status") or {}).get("phase", "Pending") == "Pending":
                self.set_pod(pod["metadata"]["name"], "Running", ready=ready)

    def set_pod(self, name: str, phase: str, *, ready: bool = False, restarts: int = 0) -> None:
        """Write a pod's status."""
        pod = self.get(PODS, name)
        status = pod.setdefault("status", {})
        before = find_condition(status, "Ready")
        status["phase"] = phase
        status["containerStatuses"] = [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": ready,
                "restartCount": restarts,
            }
            for container in pod["spec"]["containers"]
        ]
        value = "True" if ready else "False"
        if before is None or before["status"] != value:
            made = {"type": "Ready", "status": value, "lastTransitionTime": timestamp(self.now)}
            others = [c for c in status.get("conditions") or [] if c["type"] != "Ready"]
            status["conditions"] = [*others, made]
        self.client.update_status(PODS, pod, self.now)

    def add_node(self, name: str, **labels: str) -> None:
        """Create a node that has just reported."""
        hostname = {"kubernetes.io/hostname": name}
        metadata = {"name": name, "labels": {**hostname, **labels}}
        self.create(NODES, {"metadata": metadata, "spec": {}})
        self.set_node(name, "True")
        lease = {"metadata": {"name": name, "namespace": "kube-node-lease"}, "spec": {}}
        self.create(LEASES, lease)

    def set_node(self, name: str, ready: str) -> None:
        """Write a node's condition Ready."""
        node = self.get(NODES, name)
        times = {
            field: timestamp(self.now) for field in ("lastHeartbeatTime", "lastTransitionTime")
        }
        node.setdefault("status", {})["conditions"] = [{"type": "Ready", "status": ready, **times}]
        self.client.update_status(NODES, node, self.now)

    def renew_lease(self, name: str) -> None:
        """Let a node give a sign of life."""
        lease = self.client.get(LEASES, "kube-node-lease", name)
        assert lease is not None
        micro = timestamp(self.now).replace("Z", ".000000Z")
        lease["spec"]["renewTime"] = micro
        self.client.update(LEASES, lease, self.now)

    def add_pod(self, name: str, *, node: str = "", owner: Json | None = None, **spec: Any) -> Json:
        """Create a pod, bound to a node if one is named."""
        metadata: Json = {"name": name, "labels": {"app": "web"}}
        if owner is not None:
            metadata["ownerReferences"] = [owner]
        content = {**pod_spec(), **spec, **({"nodeName": node} if node else {})}
        return self.create(PODS, {"metadata": metadata, "spec": content})

    def _end(self, pod: Json) -> None:
        meta = pod["metadata"]
        key = (meta["namespace"], meta["name"])
        self.client.delete(PODS, *key, self.now, uid=meta["uid"], grace_period_seconds=0)


def pod_spec(image: str = "app:v1", **more: Any) -> Json:
    """Make the spec of a pod."""
    return {"containers": [{"name": "app", "image": image}], **more}


def template(image: str = "app:v1", **more: Any) -> Json:
    """Make a pod template with the label app=web."""
    return {"metadata": {"labels": {"app": "web"}}, "spec": pod_spec(image, **more)}


def workload(name: str, **spec: Any) -> Json:
    """Make a workload that selects app=web."""
    selector = {"matchLabels": {"app": "web"}}
    return {
        "metadata": {"name": name},
        "spec": {"selector": selector, "template": template(), **spec},
    }


def _version(obj: Json) -> tuple[str, str]:
    return (obj["firstTimestamp"], obj["metadata"]["name"])
