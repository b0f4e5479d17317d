"""The Events that kubelets write about their pods and nodes."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kubelet.lifecycle import Note
from pilotfish.cluster.kubelet.nodes import NodeRun
from pilotfish.cluster.kubelet.pod_run import PodRun
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import KubeletSettings

COMPONENT: Final = "kubelet"


class KubeletEvents:
    """Writes them, where the settings want any."""

    def __init__(self, client: LoopbackClient, settings: KubeletSettings) -> None:
        self._recorder = Recorder(client)
        self._are_wanted = settings.events

    def of_pod(self, run: PodRun, note: Note, now: float) -> None:
        """Tell of a pod that is played, or of a container of it."""
        involved = _pod_reference(run.namespace, run.name, run.uid)
        if note.container is not None:
            part = "containers" if note.container.kind == "main" else "initContainers"
            involved["fieldPath"] = f"spec.{part}{{{note.container.name}}}"
        self._record(involved, note.type, note.reason, note.message, run.node_name, now)

    def of_rejected(
        self, pod: JsonObject, reason: str, message: str, node_name: str, now: float
    ) -> None:
        """Tell why a pod was not admitted to its node."""
        metadata = pod["metadata"]
        involved = _pod_reference(metadata["namespace"], metadata["name"], metadata["uid"])
        self._record(involved, "Warning", reason, message, node_name, now)

    def of_node(self, node: NodeRun, now: float) -> None:
        """Tell that a node has become ready, or is so no more."""
        reason = "NodeNotReady" if node.fault else "NodeReady"
        involved = {"kind": "Node", "apiVersion": "v1", "name": node.name, "uid": node.name}
        text = f"Node {node.name} status is now: {reason}"
        self._record(involved, "Normal", reason, text, node.name, now)

    def _record(
        self, involved: JsonObject, kind: str, reason: str, message: str, host: str, now: float
    ) -> None:
        if self._are_wanted:
            self._recorder.record(COMPONENT, involved, kind, reason, message, now, host=host)


def _pod_reference(namespace: str, name: str, uid: str) -> JsonObject:
    return {"kind": "Pod", "apiVersion": "v1", "namespace": namespace, "name": name, "uid": uid}
