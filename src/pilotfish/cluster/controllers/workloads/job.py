"""Jobs: pods until enough have succeeded, or too many have failed.

Theory of operation: each pod carries a finalizer, so that none is gone before it is counted. A sync
counts the pods that ended, starts or stops pods, writes the counts, and takes off the finalizers of
what they stand for. A job that is decided gets SuccessCriteriaMet or FailureTarget at once, and
Complete or Failed when its last pod is gone. With a limit per index, the failed pod of an index
stays uncounted until the next one is there, which carries on its count of failures.

Source: kubernetes v1.36 pkg/controller/job/job_controller.go. differs: counts are written at once
with the pods that they stand for, so `uncountedTerminatedPods` is always empty.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import msgspec

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.controllers.controller import Controller, earliest
from pilotfish.cluster.controllers.lists import put_list
from pilotfish.cluster.controllers.owning import claim_pods
from pilotfish.cluster.controllers.pod_index import COMPLETION_INDEX, Key, PodIndex, PodInfo
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.controllers.workloads.job_failures import (
    INDEX_FAILURES,
    FailedPod,
    Failures,
    finished_time,
    read_failure,
)
from pilotfish.cluster.controllers.workloads.job_progress import (
    COUNTS,
    TRACKING,
    JobProgress,
    is_indexed,
)
from pilotfish.cluster.controllers.workloads.job_status import (
    FAILURE,
    complete,
    decide,
    finish,
    is_finished,
    note_suspension,
)
from pilotfish.cluster.controllers.workloads.pod_control import PodControl, is_namespace_terminating
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import JOBS, PODS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import containers_of
from pilotfish.cluster.timestamps import timestamp

MANAGER: Final = "kubernetes.io/job-controller"
PODS_PER_SYNC: Final = 500  # upstream MaxPodCreateDeletePerSync


class JobController(Controller):
    """Runs the pods of each Job and tells its status."""

    watches = (JOBS,)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("job-controller", JOBS)
        self._control = PodControl(client, JOBS, self._events)
        self._failures: dict[str, Failures] = {}

    def observe_pod(self, old: PodInfo | None, new: PodInfo | None, now: float) -> Iterable[Key]:
        """Give the owners of a pod."""
        del now
        keys = [pod.owned_by(JOBS.kind) for pod in (old, new) if pod is not None]
        return [key for key in keys if key is not None]

    def sync(self, key: Key, now: float) -> float | None:
        """Count what ended, start or stop pods, and decide whether the job is done."""
        job = self.client.get(JOBS, *key)
        if job is not None and job["spec"].get("managedBy", MANAGER) != MANAGER:
            return None
        if job is None or is_finished(job):
            self._release_pods(key, job, now)
            return None
        uid = job["metadata"]["uid"]
        if (later := self.paced(key, len(self.pods.owned(uid)), now)) is not None:
            return later
        selector = msgspec.convert(job["spec"]["selector"], LabelSelector)
        pods = claim_pods(self.client, self.pods, JOBS, job, selector, now, (TRACKING,))
        before = copy.deepcopy(job.get("status") or {})
        progress = JobProgress.of(job, pods, partial(self._read, job))
        failures = self._failures_after(progress)
        status = job.setdefault("status", {})
        if not job["spec"].get("suspend", False) and "startTime" not in status:
            status["startTime"] = timestamp(now)
        interim, later = self._act(job, progress, failures.until, now)
        counts = progress.counts()
        for field in COUNTS:
            status.pop(field, None)
        status |= counts
        if interim and not progress.terminating:
            finish(job, interim, now)
        if status != before:
            job = self.client.update_status(JOBS, job, now)
        self._failures[uid] = failures
        self._count_off(job, progress, interim, now)
        self._tell_end(job, now)
        return earliest(later, _deadline(job, now))

    def _act(
        self, job: JsonObject, progress: JobProgress, until: float, now: float
    ) -> tuple[str, float | None]:
        """Start or stop pods; give the interim condition, and the end of a back-off."""
        if interim := decide(job, progress, now):
            progress.close(partial(self._read, job), has_failed=interim == FAILURE)
            self._stop(job, progress, progress.active, now)
            return interim, None
        is_going = "deletionTimestamp" in job["metadata"]
        later = None if is_going else self._manage(job, progress, until, now)
        interim = complete(job, progress, now)
        if not interim and not is_going and (reason := note_suspension(job, now)):
            self._events.normal(job, reason, f"Job {reason.lower()}", now)
        return interim, later

    def _read(self, job: JsonObject, pod: PodInfo) -> FailedPod:
        obj = self.client.get(PODS, *pod.key)
        gone = {"metadata": {"namespace": pod.namespace, "name": pod.name}, "spec": {}}
        return read_failure(job, pod, gone if obj is None else obj)

    def _failures_after(self, progress: JobProgress) -> Failures:
        known = self._failures.get(progress.job["metadata"]["uid"], Failures())
        failed = [failed.finished for failed in progress.failed_pods]
        if not failed:
            return Failures() if progress.succeeded_pods else known
        succeeded = (self.client.get(PODS, *pod.key) for pod in progress.succeeded_pods)
        return known.after([finished_time(pod) for pod in succeeded if pod is not None], failed)

    def _manage(
        self, job: JsonObject, progress: JobProgress, until: float, now: float
    ) -> float | None:
        """Start or stop pods; give the end of the back-off where that is what holds them."""
        if surplus := progress.surplus(now)[:PODS_PER_SYNC]:
            for pod in surplus:
                self._remove_finalizer(pod, now)
            self._stop(job, progress, surplus, now)
            return None
        count = min(progress.missing(), PODS_PER_SYNC)
        if count <= 0:
            return None
        if progress.failed_indexes is None and until > now:
            return until
        indexes: Sequence[int | None] = [None] * count
        if is_indexed(job):
            free = progress.free_indexes(count)
            waits = [w.until for i in free if (w := progress.waiting.get(i)) and w.until > now]
            indexes = [
                i for i in free if i not in progress.waiting or progress.waiting[i].until <= now
            ]
            if waits and not indexes:
                return min(waits)
        self._create(job, progress, indexes, now)
        return None

    def _stop(
        self, job: JsonObject, progress: JobProgress, pods: Sequence[PodInfo], now: float
    ) -> None:
        for pod in pods:
            self._control.delete(job, pod.name, now, pod.uid)
        progress.stop(pods)

    def _create(
        self, job: JsonObject, progress: JobProgress, indexes: Iterable[int | None], now: float
    ) -> None:
        for index in indexes:
            pod = self._pod_of(job, index)
            if index is not None and progress.failed_indexes is not None:
                last = progress.waiting.get(index)
                notes = last.notes_of_next() if last else {INDEX_FAILURES: "0"}
                pod["metadata"]["annotations"] |= notes
            try:
                self._control.create(job, pod, now)
            except StatusError as error:
                if is_namespace_terminating(error):
                    return
                raise
            progress.started += 1

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
        for container in containers_of(pod["spec"]):
            given = container.get("env") or []
            if all(known["name"] != variable["name"] for known in given):
                container["env"] = [*given, variable]
        return pod

    def _count_off(self, job: JsonObject, progress: JobProgress, interim: str, now: float) -> None:
        """Let pods go that the written status counts, or all where nothing counts any more."""
        is_over = interim or "deletionTimestamp" in job["metadata"]
        for pod in progress.pods if is_over else progress.counted():
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
        end, status = is_finished(job), job["status"]
        if end is None:
            return
        if end["type"] == "Complete":
            if status.get("succeeded", 0) > job["spec"].get("completions", math.inf):
                text = "Too many succeeded pods running after completion count reached"
                self._events.warning(job, "TooManySucceededPods", text, now)
            self._events.normal(job, "Completed", "Job completed", now)
        else:
            self._events.warning(job, end["reason"], end["message"], now)


def _deadline(job: JsonObject, now: float) -> float | None:
    seconds = job["spec"].get("activeDeadlineSeconds")
    start = parse_time(job["status"].get("startTime"))
    if seconds is None or start is None or job["spec"].get("suspend", False):
        return None
    return max(start + float(seconds), now + 1.0)
