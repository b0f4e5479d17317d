"""What people and autoscalers are told about a pod: its Events and its PodScheduled condition."""

from __future__ import annotations

from typing import Literal, NamedTuple

from pilotfish.api.pod import Pod
from pilotfish.core.effects import (
    Effect,
    EvictPod,
    ObjectReference,
    PatchCondition,
    PatchNomination,
    RecordEvent,
)
from pilotfish.core.inputs import StatusAnswered
from pilotfish.core.message import shortened_note


class _Told(NamedTuple):
    """What a pod's status says about its scheduling."""

    reason: str
    message: str
    nominated: str


class Notices:
    """Writes notices to the outbox, each condition only when it changed.

    Theory of operation: the condition that the API server has is the one that the pod's latest
    version shows, until a patch is sent: from then on it is the one sent, until the watch shows it
    or the patch fails.
    """

    def __init__(self, outbox: list[Effect]) -> None:
        self._outbox = outbox
        self._sent: dict[str, _Told] = {}  # by uid

    def scheduled(self, pod: Pod, node_name: str) -> None:
        """Tell that a pod is bound; the API server sets its condition itself."""
        note = f"Successfully assigned {pod.key} to {node_name}"
        self._record(pod, "Normal", "Scheduled", "Binding", note)

    def failed(
        self,
        pod: Pod,
        reason: Literal["Unschedulable", "SchedulerError"],
        message: str,
        nominated_node_name: str | None = "",
    ) -> None:
        """Tell that an attempt failed, and which node the pod is nominated for; None: as before.

        Source: kubernetes v1.36 pkg/scheduler/schedule_one.go (handleSchedulingFailure).
        """
        note = shortened_note(message)
        self._record(pod, "Warning", "FailedScheduling", "Scheduling", note)
        meta = pod.metadata
        known = self._sent.get(meta.uid, _shown(pod))
        nominated = known.nominated if nominated_node_name is None else nominated_node_name
        wanted = _Told(reason, message, nominated)
        if known != wanted:
            self._sent[meta.uid] = wanted
            self._outbox.append(
                PatchCondition(
                    meta.uid,
                    meta.namespace,
                    meta.name,
                    reason,
                    message,
                    meta.generation,
                    is_transition=not known.reason,
                    nominated_node_name=None if nominated == known.nominated else nominated,
                )
            )

    def not_nominated(self, pod: Pod) -> None:
        """Tell that a pod's nomination is void, though nothing else about it is new."""
        self.nominated(pod, "")

    def nominated(self, pod: Pod, node_name: str) -> None:
        """Tell where a pod is going that is not bound at once; an empty name is nowhere.

        Source: kubernetes v1.36 pkg/scheduler/schedule_one.go (bindingCycle).
        """
        meta = pod.metadata
        known = self._sent.get(meta.uid, _shown(pod))
        if known.nominated != node_name:
            self._sent[meta.uid] = known._replace(nominated=node_name)
            self._outbox.append(PatchNomination(meta.uid, meta.namespace, meta.name, node_name))

    def preempted(
        self, victim: EvictPod, preemptor: Pod, node_name: str, *, in_memory: bool = False
    ) -> None:
        """Tell that a pod goes to make room for another one.

        Source: kubernetes v1.36 pkg/scheduler/framework/preemption/executor.go.
        """
        meta = preemptor.metadata
        note = f"Preempted by pod {meta.uid} on node {node_name}"
        self._outbox.append(
            RecordEvent(
                victim.uid,
                victim.namespace,
                victim.name,
                "Normal",
                "Preempted",
                "Preempting",
                f"{note} (in kube-scheduler memory)." if in_memory else note,
                preemptor.spec.scheduler_name,
                ObjectReference(meta.namespace, meta.name, meta.uid),
            )
        )

    def answered(self, answer: StatusAnswered) -> None:
        """Note what became of a patch; one that failed is sent again after the next attempt."""
        if not answer.is_written:
            self._sent.pop(answer.uid, None)

    def seen(self, pod: Pod) -> None:
        """Note what the API server shows."""
        if self._sent and self._sent.get(pod.uid) == _shown(pod):
            self._sent.pop(pod.uid, None)

    def forget(self, uid: str) -> None:
        """Note that a pod needs no more notices."""
        self._sent.pop(uid, None)

    def _record(
        self, pod: Pod, kind: Literal["Normal", "Warning"], reason: str, action: str, note: str
    ) -> None:
        meta = pod.metadata
        self._outbox.append(
            RecordEvent(
                meta.uid,
                meta.namespace,
                meta.name,
                kind,
                reason,
                action,
                note,
                pod.spec.scheduler_name,
            )
        )


def _shown(pod: Pod) -> _Told:
    """Return what the API server shows; the reason is empty without PodScheduled=False."""
    nominated = pod.status.nominated_node_name
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.status == "False":
            return _Told(condition.reason, condition.message, nominated)
    return _Told("", "", nominated)
