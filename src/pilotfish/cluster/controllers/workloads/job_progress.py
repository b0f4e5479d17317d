"""How far a Job is: its pods, and the counts of those that have ended.

Source: kubernetes v1.36 pkg/controller/job/{job_controller,indexed_job_utils}.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Final

import msgspec

from pilotfish.cluster.controllers.pod_index import PodInfo
from pilotfish.cluster.controllers.workloads.job_failures import FailedPod
from pilotfish.cluster.controllers.workloads.pod_ranking import victims
from pilotfish.cluster.job_indexes import read_indexes, write_indexes
from pilotfish.cluster.objects import JsonObject

TRACKING: Final = "batch.kubernetes.io/job-tracking"
COUNTS: Final = ("active", "succeeded", "failed", "completedIndexes", "failedIndexes")
"""What a status leaves out where it is nothing."""


class JobProgress(msgspec.Struct):
    """The pods of a job, sorted, with the counts of those that are gone."""

    job: JsonObject
    pods: Sequence[PodInfo]
    active: list[PodInfo]
    terminating: int
    succeeded_pods: list[PodInfo]
    """Those that are not counted yet, as are the failed ones."""
    failed_pods: list[FailedPod]
    succeeded_indexes: set[int]
    failed_indexes: set[int] | None
    """Indexes that are given up; None without a limit per index."""
    waiting: Mapping[int, FailedPod]
    """The last failed pod of each index whose next one is to come; it stays until then."""
    started: int = 0

    @classmethod
    def of(
        cls, job: JsonObject, pods: Sequence[PodInfo], read: Callable[[PodInfo], FailedPod]
    ) -> JobProgress:
        """Sort the pods; `read` tells what became of a failed one."""
        status = job.get("status") or {}
        new = _new(job, pods)
        progress = cls(
            job=job,
            pods=pods,
            active=[pod for pod in pods if pod.is_active],
            terminating=sum(pod.is_terminating and not pod.is_finished for pod in pods),
            succeeded_pods=[pod for pod in new if pod.phase == "Succeeded"],
            failed_pods=[read(pod) for pod in new if _has_failed(job, pod)],
            succeeded_indexes=_within(job, status.get("completedIndexes", "")),
            failed_indexes=None,
            waiting={},
        )
        if is_indexed(job):
            progress.succeeded_indexes |= _indexes(progress.succeeded_pods)
            limit = job["spec"].get("backoffLimitPerIndex")
            if limit is not None:
                progress.failed_indexes = _within(job, status.get("failedIndexes", "")) | {
                    failed.pod.completion_index or 0
                    for failed in progress.failed_pods
                    if failed.action == "FailIndex" or (failed.counts and failed.failures >= limit)
                }
                progress.waiting = progress._last_failed()
        return progress

    @property
    def succeeded(self) -> int:
        """How many pods, or indexes, have succeeded."""
        if is_indexed(self.job):
            return len(self.succeeded_indexes)
        return self._counted("succeeded") + len(self.succeeded_pods)

    @property
    def failures(self) -> int:
        """How many pods have failed, those included that wait for their index's next one."""
        return self._counted("failed") + sum(failed.counts for failed in self.failed_pods)

    @property
    def restarts(self) -> int:
        """How often containers of running pods have restarted."""
        running = (pod for pod in self.pods if pod.phase in ("Pending", "Running"))
        return sum(pod.total_restarts for pod in running)

    def missing(self) -> int:
        """Give how many pods should be started now, or, negative, stopped."""
        spec, active = self.job["spec"], len(self.active)
        wanted: int = spec.get("parallelism", 1)
        if spec.get("suspend", False):
            wanted = 0
        elif spec.get("completions") is not None:
            wanted = max(0, min(wanted, spec["completions"] - self.succeeded))
        elif self.succeeded:
            wanted = active
        if wanted <= active or not replaces_only_failed(self.job):
            return wanted - active
        return max(0, wanted - active - self.terminating)

    def surplus(self, now: float) -> Sequence[PodInfo]:
        """Give the active pods to stop: those of no index or one that another has come first."""
        count, doomed, left = max(0, -self.missing()), [], list(self.active)
        if is_indexed(self.job):
            by_index: dict[int | None, list[PodInfo]] = {}
            for pod in self.active:
                index = pod.completion_index if _has_place(self.job, pod) else None
                by_index.setdefault(index, []).append(pod)
            doomed = by_index.pop(None, [])
            for same in by_index.values():
                doomed += victims(same, (), len(same) - 1, now)
            left = [pod for pod in self.active if pod not in doomed]
        return [*doomed, *victims(left, (), max(0, count - len(doomed)), now)]

    def stop(self, pods: Sequence[PodInfo]) -> None:
        """Note that active pods were deleted."""
        stopped = set(pods)
        self.active = [pod for pod in self.active if pod not in stopped]
        self.terminating += len(pods)

    def free_indexes(self, count: int) -> list[int]:
        """Give the lowest indexes that need a pod."""
        taken = _indexes(self.active) | self.succeeded_indexes | (self.failed_indexes or set())
        if replaces_only_failed(self.job):
            taken |= _indexes(
                pod for pod in self.pods if pod.is_terminating and not pod.is_finished
            )
        free = (i for i in range(self.job["spec"]["completions"]) if i not in taken)
        return list(islice(free, count))

    def close(self, read: Callable[[PodInfo], FailedPod], *, has_failed: bool) -> None:
        """Have no pod wait for another; where the job has failed, so have the rest of its pods."""
        self.waiting = {}
        if has_failed:
            known = {*self.succeeded_pods, *(failed.pod for failed in self.failed_pods)}
            self.failed_pods += [read(p) for p in _new(self.job, self.pods) if p not in known]

    def counted(self) -> list[PodInfo]:
        """Give the pods that the counts stand for from now on."""
        waiting = {failed.pod for failed in self.waiting.values()}
        return [
            pod
            for pod in self.pods
            if pod not in waiting and (pod.phase == "Succeeded" or _has_failed(self.job, pod))
        ]

    def counts(self) -> JsonObject:
        """Give the counts of the status."""
        active = len(self.active) + self.started
        failed = self.failures - sum(failed.counts for failed in self.waiting.values())
        given: JsonObject = {"active": active, "succeeded": self.succeeded, "failed": failed}
        given = {name: count for name, count in given.items() if count}
        if is_indexed(self.job):
            if self.succeeded_indexes:
                given["completedIndexes"] = write_indexes(self.succeeded_indexes)
            if self.failed_indexes is not None:
                given["failedIndexes"] = write_indexes(self.failed_indexes)
        ready = sum(pod.is_ready for pod in self.active)
        return given | {
            "ready": ready,
            "terminating": self.terminating,
            "uncountedTerminatedPods": {},
        }

    def _counted(self, field: str) -> int:
        count: int = (self.job.get("status") or {}).get(field, 0)
        return count

    def _last_failed(self) -> Mapping[int, FailedPod]:
        done = self.succeeded_indexes | (self.failed_indexes or set()) | _indexes(self.active)
        last: dict[int, FailedPod] = {}
        for failed in sorted(self.failed_pods, key=lambda f: (f.failures + f.ignored, f.finished)):
            index = failed.pod.completion_index
            if index is not None and index not in done:
                last[index] = failed
        return last


def is_indexed(job: JsonObject) -> bool:
    """Say whether each pod of a job has an index."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def replaces_only_failed(job: JsonObject) -> bool:
    """Say whether a pod that is being deleted is replaced only when it has ended."""
    spec = job["spec"]
    return spec.get("podReplacementPolicy") == "Failed" or spec.get("podFailurePolicy") is not None


def _new(job: JsonObject, pods: Iterable[PodInfo]) -> list[PodInfo]:
    """Give the pods that no count stands for yet."""
    return [pod for pod in pods if TRACKING in pod.finalizers and _has_place(job, pod)]


def _has_place(job: JsonObject, pod: PodInfo) -> bool:
    """Say whether a pod is one that the job would make."""
    if not is_indexed(job):
        return True
    return pod.completion_index is not None and (
        0 <= pod.completion_index < job["spec"]["completions"]
    )


def _has_failed(job: JsonObject, pod: PodInfo) -> bool:
    """Say whether a pod counts as failed; one that is deleted does at once, unless waited for."""
    if pod.phase == "Failed" or replaces_only_failed(job):
        return pod.phase == "Failed"
    return pod.is_terminating and pod.phase != "Succeeded"


def _indexes(pods: Iterable[PodInfo]) -> set[int]:
    return {pod.completion_index for pod in pods if pod.completion_index is not None}


def _within(job: JsonObject, text: str) -> set[int]:
    """Read indexes, without those that a smaller number of completions leaves out."""
    if not is_indexed(job):
        return set()
    completions: int = job["spec"]["completions"]
    return {index for index in read_indexes(text) if index < completions}
