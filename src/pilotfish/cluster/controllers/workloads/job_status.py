"""How far a Job is: counts of its pods, and when it is decided.

Source: kubernetes v1.36 pkg/controller/job/{job_controller,indexed_job_utils}.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

import msgspec

from pilotfish.cluster.controllers.conditions import condition, find_condition, is_true
from pilotfish.cluster.controllers.pod_index import PodInfo
from pilotfish.cluster.controllers.times import seconds_since
from pilotfish.cluster.job_indexes import read_indexes, write_indexes
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.timestamps import timestamp


class JobProgress(msgspec.Struct):
    """The pods of a job, sorted, with the counts of those that are gone."""

    active: list[PodInfo]
    terminating: int
    newly_succeeded: list[PodInfo]
    newly_failed: list[PodInfo]
    succeeded: int
    failed: int
    restarts: int
    indexes: set[int] | None
    """The indexes that have succeeded, of an indexed job."""
    changed: bool = False
    """Whether pods were started or stopped since."""

    @classmethod
    def of(cls, job: JsonObject, pods: Sequence[PodInfo], finalizer: str) -> JobProgress:
        """Sort the pods; a pod is new to the counts while it has the finalizer."""
        status, spec = job.get("status") or {}, job["spec"]
        waits = spec.get("podReplacementPolicy") == "Failed"
        new = [pod for pod in pods if finalizer in pod.finalizers]
        succeeded = [pod for pod in new if pod.phase == "Succeeded"]
        failed = [
            pod
            for pod in new
            if pod.phase == "Failed"
            or (not waits and pod.is_terminating and pod.phase != "Succeeded")
        ]
        indexes = None
        if spec.get("completionMode") == "Indexed":
            indexes = read_indexes(status.get("completedIndexes", ""))
            found = {pod.completion_index for pod in succeeded}
            indexes |= {i for i in found if i is not None and i < spec["completions"]}
        before = status.get("succeeded", 0)
        running = [pod for pod in pods if pod.phase in ("Pending", "Running")]
        return cls(
            active=[pod for pod in pods if pod.is_active],
            terminating=sum(pod.is_terminating and not pod.is_finished for pod in pods),
            newly_succeeded=succeeded,
            newly_failed=failed,
            succeeded=before + len(succeeded) if indexes is None else len(indexes),
            failed=status.get("failed", 0) + len(failed),
            restarts=sum(pod.total_restarts for pod in running),
            indexes=indexes,
        )

    def ended_counts(self) -> JsonObject:
        """Give the counts of pods that ended."""
        counts = {"succeeded": self.succeeded, "failed": self.failed}
        given: JsonObject = {name: count for name, count in counts.items() if count}
        if self.indexes:
            given["completedIndexes"] = write_indexes(self.indexes)
        return given | {"uncountedTerminatedPods": {}}

    def counts(self) -> JsonObject:
        """Give all counts."""
        return {
            **self.ended_counts(),
            **({"active": len(self.active)} if self.active else {}),
            "ready": sum(pod.is_ready for pod in self.active),
            "terminating": self.terminating,
        }

    def free_indexes(self, completions: int, count: int) -> list[int]:
        """Give the lowest indexes that neither run nor have succeeded."""
        taken = {pod.completion_index for pod in self.active} | (self.indexes or set())
        return list(islice((i for i in range(completions) if i not in taken), count))


def is_finished(job: JsonObject) -> JsonObject | None:
    """Give the condition that says how the job ended, or None."""
    status = job.get("status") or {}
    ends = (find_condition(status, kind) for kind in ("Complete", "Failed"))
    return next((end for end in ends if end is not None and end["status"] == "True"), None)


def wanted_pods(job: JsonObject, progress: JobProgress) -> int:
    """Give how many pods should run now."""
    spec = job["spec"]
    parallelism: int = spec.get("parallelism", 1)
    if spec.get("suspend", False):
        return 0
    if spec.get("completions") is None:
        return len(progress.active) if progress.succeeded else parallelism
    missing: int = spec["completions"] - progress.succeeded
    return max(0, min(parallelism, missing))


def decide(job: JsonObject, progress: JobProgress, now: float) -> bool:
    """Note a failure that is certain; True where what still runs must be stopped."""
    status = job["status"]
    if is_true(status, "SuccessCriteriaMet") or is_true(status, "FailureTarget"):
        return True
    failure = _failure(job, progress, now)
    if failure is None:
        return False
    _add(status, "FailureTarget", *failure, now)
    progress.failed += len(progress.active)
    progress.newly_failed += progress.active
    return True


def finish(job: JsonObject, progress: JobProgress, now: float) -> None:
    """Note success that is certain, and the end once no pod is left."""
    status, completions = job["status"], job["spec"].get("completions")
    enough = progress.succeeded > 0 if completions is None else progress.succeeded >= completions
    is_decided = is_true(status, "SuccessCriteriaMet") or is_true(status, "FailureTarget")
    if not is_decided and enough and not progress.active:
        text = "Reached expected number of succeeded pods"
        _add(status, "SuccessCriteriaMet", "CompletionsReached", text, now)
    if progress.active or progress.terminating:
        return
    for interim, final in (("SuccessCriteriaMet", "Complete"), ("FailureTarget", "Failed")):
        found = find_condition(status, interim)
        if found is not None:
            _add(status, final, found["reason"], found["message"], now)
            if final == "Complete":
                status["completionTime"] = timestamp(now)
            return


def note_suspension(job: JsonObject, now: float) -> str | None:
    """Tell that the job was suspended or resumed; give the event's reason if that is new."""
    status, is_suspended = job["status"], job["spec"].get("suspend", False)
    found = find_condition(status, "Suspended")
    if is_suspended and not is_true(status, "Suspended"):
        _replace(status, "Suspended", "True", "JobSuspended", "Job suspended", now)
        status.pop("startTime", None)
        return "Suspended"
    if not is_suspended and found is not None and found["status"] == "True":
        _replace(status, "Suspended", "False", "JobResumed", "Job resumed", now)
        status["startTime"] = timestamp(now)
        return "Resumed"
    return None


def _failure(job: JsonObject, progress: JobProgress, now: float) -> tuple[str, str] | None:
    spec, limit = job["spec"], job["spec"].get("backoffLimit", 6)
    too_many_restarts = spec["template"]["spec"].get("restartPolicy") == "OnFailure" and (
        progress.restarts >= max(limit, 1)
    )
    if progress.failed > limit or too_many_restarts:
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    seconds = spec.get("activeDeadlineSeconds")
    if seconds is None or spec.get("suspend", False):
        return None
    if seconds_since(job["status"].get("startTime"), now) >= seconds:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    return None


def _add(status: JsonObject, kind: str, reason: str, message: str, now: float) -> None:
    _replace(status, kind, "True", reason, message, now)


def _replace(
    status: JsonObject, kind: str, value: str, reason: str, message: str, now: float
) -> None:
    made = condition(kind, value, reason, message, now) | {"lastProbeTime": timestamp(now)}
    others = [c for c in status.get("conditions") or [] if c["type"] != kind]
    status["conditions"] = [*others, made]
