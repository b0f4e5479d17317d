"""Creating and deleting the pods of workloads, with the events that tell of it.

Source: kubernetes v1.36 pkg/controller/controller_utils.go.
"""

from __future__ import annotations

import copy

from pilotfish.cluster.controllers.owning import controller_reference
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import EventSource
from pilotfish.cluster.kinds import PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.resources import Resource


class PodControl:
    """Makes and deletes pods on behalf of one kind of workload."""

    def __init__(self, client: LoopbackClient, resource: Resource, events: EventSource) -> None:
        self._client = client
        self._resource = resource
        self._events = events

    def pod_of(self, owner: JsonObject, template: JsonObject) -> JsonObject:
        """Make a pod of a template, owned and named after its workload."""
        source = template.get("metadata") or {}
        metadata: JsonObject = {
            field: copy.deepcopy(source[field])
            for field in ("labels", "annotations", "finalizers")
            if source.get(field)
        }
        metadata["namespace"] = owner["metadata"]["namespace"]
        metadata["generateName"] = owner["metadata"]["name"] + "-"
        metadata["ownerReferences"] = [controller_reference(self._resource, owner)]
        return {"metadata": metadata, "spec": copy.deepcopy(template["spec"])}

    def create(self, owner: JsonObject, pod: JsonObject, now: float) -> str:
        """Create a pod, and give its name.

        Raises:
            StatusError: It was refused.
        """
        try:
            name: str = self._client.create(PODS, pod, now)["metadata"]["name"]
        except StatusError as error:
            if not is_namespace_terminating(error):
                message = f"Error creating: {error.message}"
                self._events.warning(owner, "FailedCreate", message, now)
            raise
        self._events.normal(owner, "SuccessfulCreate", f"Created pod: {name}", now)
        return name

    def delete(self, owner: JsonObject, name: str, now: float, uid: str | None = None) -> None:
        """Delete a pod; that it is gone already is fine.

        Raises:
            StatusError: It was refused.
        """
        try:
            self._client.delete(PODS, owner["metadata"]["namespace"], name, now, uid=uid)
        except StatusError as error:
            if error.reason == "NotFound":
                return
            self._events.warning(owner, "FailedDelete", f"Error deleting: {error.message}", now)
            raise
        self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {name}", now)


def is_namespace_terminating(error: StatusError) -> bool:
    """Say whether a creation failed because its namespace is being deleted."""
    return "is being terminated" in error.message
