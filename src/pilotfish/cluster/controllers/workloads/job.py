"""Jobs: pods until enough have succeeded, or too many have failed.

Theory of operation: each pod carries a finalizer, so that none is gone before it is counted. A sync
counts the pods that ended, writes the counts, takes off their finalizers, and starts or stops pods.
A job that is decided gets SuccessCriteriaMet or FailureTarget at once, and Complete or Failed when
its last pod is gone.

Source: kubernetes v1.36 pkg/controller/job/job_controller.go. differs: podFailurePolicy,
successPolicy and the limits per index are not acted upon.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.controllers.controller import Controller, earliest
from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.owning import claim_pods
from pilotfish.cluster.controllers.pod_index import COMPLETION_INDEX, Key, PodIndex, PodInfo
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.controllers.workloads.job_status import (
    JobProgress,
    decide,
    finish,
    is_finished,
    note_suspension,
    wanted_pods,
)
from pilotfish.cluster.controllers.workloads.pod_control import PodControl, is_namespace_terminating
from pilotfish.cluster.controllers.workloads.pod_ranking import victims
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import JOBS, PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.timestamps import timestamp

TRACKING: Final = "batch.kubernetes.io/job-tracking"
PODS_PER_SYNC: Final = 500  # upstream MaxPodCreateDeletePerSync
FIRST_BACKOFF_SECONDS: Final = 10.0  # upstream DefaultJobPodFailureBackOff
MAX_BACKOFF_SECONDS: Final = 600.0  # upstream MaxJobPodFailureBackOff


class _Failures(msgspec.Struct, frozen=True):
    """Failed pods since the last that succeeded."""

    count: int = 0
    last: float = 0.0

    @property
    def until(self) -> float:
        """When the next pod may start."""
        if not self.count:
            return 0.0
        shift = min(self.count - 1, 10)
        return self.last + min(FIRST_BACKOFF_SECONDS * 2.0**shift, MAX_BACKOFF_SECONDS)


class JobController(Controller):
    """Runs the pods of each Job and tells its status."""

    watches = (JOBS,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("job-controller", JOBS)
        self._control = PodControl(client, JOBS, self._events)
        self._failures: dict[str, _Failures] = {}

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the owners of a pod."""
        del now
        keys = [pod.owned_by(JOBS.kind) for pod in (old, new) if pod is not None]
        return [key for key in keys if key is not None]

    def sync(self, key: Key, now: float) -> float | None:
        """Count what ended, start or stop pods, and decide whether the job is done."""
        job = self.client.get(JOBS, *key)
        if job is None or is_finished(job):
            self._release_pods(key, job, now)
            return None
        if job["spec"].get("managedBy", "kubernetes.io/job-controller") != (
            "kubernetes.io/job-controller"
        ):
            return None
        uid = job["metadata"]["uid"]
        if (later := self.paced(key, len(self.pods.owned(uid)), now)) is not None:
            return later
        selector = msgspec.convert(job["spec"]["selector"], LabelSelector)
        pods = claim_pods(self.client, self.pods, JOBS, job, selector, now, (TRACKING,))
        before = copy.deepcopy(job.get("status") or {})
        progress = JobProgress.of(job, pods, TRACKING)
        self._note_failures(uid, progress, now)
        status = job.setdefault("status", {})
        is_suspended = job["spec"].get("suspend", False)
        if not is_suspended and "startTime" not in status:
            status["startTime"] = timestamp(now)
        later = None
        if decide(job, progress, now):
            for pod in progress.active:
                self._control.delete(job, pod.name, now, pod.uid)
        elif "deletionTimestamp" not in job["metadata"]:
            later = self._manage(job, progress, now)
            if (reason := note_suspension(job, now)) is not None:
                self._events.normal(job, reason, f"Job {reason.lower()}", now)
        if progress.changed:  # the pods as they are now are seen by the next sync
            status |= progress.ended_counts()
        else:
            status.pop("active", None)
            status |= progress.counts()
            finish(job, progress, now)
        if status != before:
            job = self.client.update_status(JOBS, job, now)
        self._count_off(job, progress, now)
        self._tell_end(job, now)
        return earliest(later, _deadline(job, now))

    def _note_failures(self, uid: str, progress: JobProgress, now: float) -> None:
        failures = self._failures.get(uid, _Failures())
        if progress.newly_succeeded:
            failures = _Failures()
        if progress.newly_failed:
            failures = _Failures(failures.count + len(progress.newly_failed), now)
        self._failures[uid] = failures

    def _manage(self, job: JsonObject, progress: JobProgress, now: float) -> float | None:
        """Start or stop pods; give the end of the back-off where that is what holds them."""
        wanted = wanted_pods(job, progress)
        surplus = len(progress.active) - wanted
        if surplus > 0:
            for pod in victims(progress.active, (), min(surplus, PODS_PER_SYNC), now):
                self._remove_finalizer(pod, now)
                self._control.delete(job, pod.name, now, pod.uid)
            progress.changed = True
            return None
        missing = -surplus
        if job["spec"].get("podReplacementPolicy") == "Failed":
            missing -= progress.terminating
        if missing <= 0:
            return None
        until = self._failures[job["metadata"]["uid"]].until
        if until > now:
            return until
        self._create(job, progress, min(missing, PODS_PER_SYNC), now)
        return None

    def _create(self, job: JsonObject, progress: JobProgress, count: int, now: float) -> None:
        is_indexed = job["spec"].get("completionMode") == "Indexed"
        indexes: Sequence[int | None] = [None] * count
        if is_indexed:
            indexes = progress.free_indexes(job["spec"]["completions"], count)
        for index in indexes:
            try:
                self._control.create(job, self._pod_of(job, index), now)
            except StatusError as error:
                if is_namespace_terminating(error):
                    return
                raise
            progress.changed = True

    def _pod_of(self, job: JsonObject, index: int | None) -> JsonObject:
        pod = self._control.pod_of(job, job["spec"]["template"])
        meta = pod["metadata"]
        meta["finalizers"] = [*meta.get("finalizers", []), TRACKING]
        if index is None:
            return pod
        for part in ("labels", "annotations"):
            meta[part] = {**meta.get(part, {}), COMPLETION_INDEX: str(index)}
        name = job["metadata"]["name"]
        meta["generateName"] = f"{name}-{index}-"
        pod["spec"]["hostname"] = f"{name}-{index}"
        source = {"fieldRef": {"fieldPath": f"metadata.labels['{COMPLETION_INDEX}']"}}
        variable = {"name": "JOB_COMPLETION_INDEX", "valueFrom": source}
        spec = pod["spec"]
        for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
            given = container.get("env") or []
            if all(known["name"] != variable["name"] for known in given):
                container["env"] = [*given, variable]
        return pod

    def _count_off(self, job: JsonObject, progress: JobProgress, now: float) -> None:
        """Let pods go that the written status counts."""
        for pod in (*progress.newly_succeeded, *progress.newly_failed):
            self._remove_finalizer(pod, now)
        if is_finished(job):
            self._failures.pop(job["metadata"]["uid"], None)

    def _release_pods(self, key: Key, job: JsonObject | None, now: float) -> None:
        """Let go of pods whose job is finished or gone."""
        owned = self.pods.owned(job["metadata"]["uid"]) if job else self.pods.in_namespace(key[0])
        for pod in owned:
            if TRACKING in pod.finalizers and pod.owned_by(JOBS.kind) == key:
                self._remove_finalizer(pod, now)

    def _remove_finalizer(self, pod: PodInfo, now: float) -> None:
        obj = self.client.get(PODS, *pod.key)
        if obj is None or obj["metadata"]["uid"] != pod.uid:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if TRACKING in finalizers:
            put_list(obj["metadata"], "finalizers", (f for f in finalizers if f != TRACKING))
            self.client.update(PODS, obj, now)

    def _tell_end(self, job: JsonObject, now: float) -> None:
        end = is_finished(job)
        if end is None:
            return
        if end["type"] == "Complete":
            self._events.normal(job, "Completed", "Job completed", now)
        else:
            self._events.warning(job, end["reason"], end["message"], now)


def _deadline(job: JsonObject, now: float) -> float | None:
    seconds = job["spec"].get("activeDeadlineSeconds")
    start = parse_time(job["status"].get("startTime"))
    if seconds is None or start is None or job["spec"].get("suspend", False):
        return None
    return max(start + float(seconds), now + 1.0)
