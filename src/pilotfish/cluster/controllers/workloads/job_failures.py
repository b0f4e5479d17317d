"""Failed pods of a Job: which rule of its policy applies, and how long a replacement waits.

Source: kubernetes v1.36 pkg/controller/job/{pod_failure_policy,backoff_utils,indexed_job_utils}.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.controllers.pod_index import PodInfo
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.objects import JsonObject

FIRST_BACKOFF_SECONDS: Final = 10.0  # upstream DefaultJobPodFailureBackOff
MAX_BACKOFF_SECONDS: Final = 600.0  # upstream MaxJobPodFailureBackOff
INDEX_FAILURES: Final = "batch.kubernetes.io/job-index-failure-count"
INDEX_IGNORED_FAILURES: Final = "batch.kubernetes.io/job-index-ignored-failure-count"
MAX_INT32: Final = 2**31 - 1


class FailedPod(msgspec.Struct, frozen=True):
    """A failed pod, and what the Job's policy makes of it."""

    pod: PodInfo
    action: str
    """Of the first rule of `podFailurePolicy` that matches; empty where none does."""
    message: str
    """Which rule that is, and what matches it."""
    finished: float
    failures: int
    """Failures of the same index before this one that counted."""
    ignored: int
    """And those that did not."""

    @property
    def counts(self) -> bool:
        """Whether it counts towards the limits."""
        return self.action != "Ignore"

    @property
    def until(self) -> float:
        """When the next pod of the same index may start."""
        return backoff_end(self.failures + self.ignored + 1, self.finished)

    def notes_of_next(self) -> dict[str, str]:
        """Give the annotations that hand the counts on to the next pod of the index."""
        notes = {INDEX_FAILURES: str(self.failures + self.counts)}
        if ignored := self.ignored + (not self.counts):
            notes[INDEX_IGNORED_FAILURES] = str(ignored)
        return notes


class Failures(msgspec.Struct, frozen=True):
    """Failed pods since the last that succeeded."""

    count: int = 0
    last: float = 0.0

    @property
    def until(self) -> float:
        """When the next pod may start."""
        return backoff_end(self.count, self.last) if self.count else 0.0

    def after(self, succeeded: Sequence[float], failed: Sequence[float]) -> Failures:
        """Add pods that ended at these times."""
        if succeeded:
            later = [time for time in failed if time > max(succeeded)]
            return Failures(len(later), max(later, default=0.0))
        if failed:
            return Failures(self.count + len(failed), max(failed))
        return self


def backoff_end(count: int, last: float) -> float:
    """Give when so many failures in a row, the last at this time, are waited for."""
    return last + min(FIRST_BACKOFF_SECONDS * 2.0 ** min(count - 1, 10), MAX_BACKOFF_SECONDS)


def read_failure(job: JsonObject, pod: PodInfo, obj: JsonObject) -> FailedPod:
    """Read a failed pod."""
    notes = obj["metadata"].get("annotations") or {}
    action, message = matching_rule(job, obj)
    failures, ignored = (_count(notes.get(k)) for k in (INDEX_FAILURES, INDEX_IGNORED_FAILURES))
    return FailedPod(pod, action, message, finished_time(obj), failures, ignored)


def matching_rule(job: JsonObject, pod: JsonObject) -> tuple[str, str]:
    """Give the action of the first rule that matches a pod, and why it does."""
    policy = job["spec"].get("podFailurePolicy") or {}
    for index, rule in enumerate(policy.get("rules") or ()):
        if what := _match(rule, pod):
            return rule["action"], f"{what} matching {rule['action']} rule at index {index}"
    return "", ""


def _match(rule: JsonObject, pod: JsonObject) -> str:
    """Say what of a pod matches a rule; empty where nothing does."""
    status, name = (
        pod.get("status") or {},
        f"{pod['metadata']['namespace']}/{pod['metadata']['name']}",
    )
    if (wanted := rule.get("onExitCodes")) is not None:
        for container, code in _exit_codes(status):
            is_meant = wanted.get("containerName") in (None, container)
            if is_meant and (code in wanted["values"]) == (wanted["operator"] == "In"):
                return f"Container {container} for pod {name} failed with exit code {code}"
        return ""
    patterns = {(p["type"], p.get("status", "True")) for p in rule.get("onPodConditions") or ()}
    for found in status.get("conditions") or ():
        if (found["type"], found["status"]) in patterns:
            return f"Pod {name} has condition {found['type']}"
    return ""


def _exit_codes(status: JsonObject) -> Iterator[tuple[str, int]]:
    """Yield the containers that failed, with their exit codes."""
    for kind in ("containerStatuses", "initContainerStatuses"):
        for container in status.get(kind) or ():
            ended = (container.get("state") or {}).get("terminated") or {}
            if code := ended.get("exitCode", 0):
                yield container["name"], code


def finished_time(pod: JsonObject) -> float:
    """Give when a pod ended, as well as can be told."""
    metadata, status = pod["metadata"], pod.get("status") or {}
    states = [container.get("state") or {} for container in _lasting_containers(pod)]
    ends = [parse_time((state.get("terminated") or {}).get("finishedAt")) for state in states]
    known = [end for end in ends if end is not None]
    if known and len(known) == len(ends):
        return max(known)
    ready = find_condition(status, "Ready") or {}
    if ready.get("status") == "False" and (since := parse_time(ready.get("lastTransitionTime"))):
        return since
    if (deleted := parse_time(metadata.get("deletionTimestamp"))) is not None:
        return deleted - float(metadata.get("deletionGracePeriodSeconds") or 0)
    return parse_time(metadata.get("creationTimestamp")) or 0.0


def _lasting_containers(pod: JsonObject) -> list[JsonObject]:
    """Give the statuses of containers and sidecars."""
    status, inits = pod.get("status") or {}, pod["spec"].get("initContainers") or ()
    sidecars = {init["name"] for init in inits if init.get("restartPolicy") == "Always"}
    others = status.get("initContainerStatuses") or ()
    return [
        *(status.get("containerStatuses") or ()),
        *(each for each in others if each["name"] in sidecars),
    ]


def _count(text: str | None) -> int:
    """Read a count of failures; what cannot be one is zero."""
    try:
        count = int(text or 0)
    except ValueError:
        return 0
    return count if 0 <= count <= MAX_INT32 else 0
