"""When a Job is decided, and how its conditions tell it.

Source: kubernetes v1.36 pkg/controller/job/{job_controller,success_policy}.go.
"""

from __future__ import annotations

from pilotfish.cluster.conditions import condition, find_condition, is_true
from pilotfish.cluster.controllers.times import seconds_since
from pilotfish.cluster.controllers.workloads.job_progress import JobProgress, is_indexed
from pilotfish.cluster.job_indexes import read_indexes
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.timestamps import timestamp

SUCCESS = "SuccessCriteriaMet"
FAILURE = "FailureTarget"
FINAL = {SUCCESS: "Complete", FAILURE: "Failed"}


def is_finished(job: JsonObject) -> JsonObject | None:
    """Give the condition that says how the job ended, or None."""
    status = job.get("status") or {}
    ends = (find_condition(status, kind) for kind in FINAL.values())
    return next((end for end in ends if end is not None and end["status"] == "True"), None)


def decide(job: JsonObject, progress: JobProgress, now: float) -> str:
    """Note what ends a job while pods of it run; give its interim condition, empty for none."""
    status = job["status"]
    for kind in FINAL:
        if is_true(status, kind):
            return kind
    if failure := _failure(job, progress, now):
        put_condition(status, FAILURE, "True", *failure, now)
        return FAILURE
    if is_indexed(job) and (message := _success_rule(job, progress.succeeded_indexes)):
        put_condition(status, SUCCESS, "True", "SuccessPolicy", message, now)
        return SUCCESS
    return ""


def complete(job: JsonObject, progress: JobProgress, now: float) -> str:
    """Note that enough pods have succeeded and none runs; give the interim condition."""
    completions = job["spec"].get("completions")
    enough = progress.succeeded > 0 if completions is None else progress.succeeded >= completions
    if not enough or progress.active or progress.started:
        return ""
    text = "Reached expected number of succeeded pods"
    put_condition(job["status"], SUCCESS, "True", "CompletionsReached", text, now)
    return SUCCESS


def finish(job: JsonObject, interim: str, now: float) -> None:
    """Note the end of a job that has no pod left."""
    status = job["status"]
    found = find_condition(status, interim)
    if found is not None:
        put_condition(status, FINAL[interim], "True", found["reason"], found["message"], now)
        if interim == SUCCESS:
            status["completionTime"] = timestamp(now)


def note_suspension(job: JsonObject, now: float) -> str | None:
    """Tell that the job was suspended or resumed; give the event's reason if that is new."""
    status, is_suspended = job["status"], job["spec"].get("suspend", False)
    was_suspended = is_true(status, "Suspended")
    if is_suspended and not was_suspended:
        put_condition(status, "Suspended", "True", "JobSuspended", "Job suspended", now)
        status.pop("startTime", None)
        return "Suspended"
    if not is_suspended and was_suspended:
        put_condition(status, "Suspended", "False", "JobResumed", "Job resumed", now)
        status["startTime"] = timestamp(now)
        return "Resumed"
    return None


def put_condition(
    status: JsonObject, kind: str, value: str, reason: str, message: str, now: float
) -> None:
    """Put a condition in the place of the one of its type, or behind the others."""
    made = condition(kind, value, reason, message, now) | {"lastProbeTime": timestamp(now)}
    conditions = list(status.get("conditions") or [])
    places = [place for place, known in enumerate(conditions) if known["type"] == kind]
    if places:
        conditions[places[0]] = made
    else:
        conditions.append(made)
    status["conditions"] = conditions


def _failure(job: JsonObject, progress: JobProgress, now: float) -> tuple[str, str] | None:
    """Give why a job has failed, the reason and the message, or None."""
    for failed in progress.failed_pods:
        if failed.action == "FailJob":
            return "PodFailurePolicy", failed.message
    spec, limit = job["spec"], job["spec"].get("backoffLimit", 6)
    too_many_restarts = spec["template"]["spec"].get("restartPolicy") == "OnFailure" and (
        progress.restarts >= max(limit, 1)
    )
    if progress.failures > limit or too_many_restarts:
        return "BackoffLimitExceeded", "Job has reached the specified backoff limit"
    seconds = spec.get("activeDeadlineSeconds")
    is_running = seconds is not None and not spec.get("suspend", False)
    if is_running and seconds_since(job["status"].get("startTime"), now) >= seconds:
        return "DeadlineExceeded", "Job was active longer than specified deadline"
    failed_indexes = len(progress.failed_indexes or ())
    if failed_indexes > spec.get("maxFailedIndexes", failed_indexes):
        text = "Job has exceeded the specified maximal number of failed indexes"
        return "MaxFailedIndexesExceeded", text
    if failed_indexes and failed_indexes + progress.succeeded >= spec["completions"]:
        return "FailedIndexes", "Job has failed indexes"
    return None


def _success_rule(job: JsonObject, succeeded: set[int]) -> str:
    """Say which rule of the success policy is met; empty for none."""
    policy = job["spec"].get("successPolicy") or {}
    for index, rule in enumerate(policy.get("rules") or () if succeeded else ()):
        wanted = set(range(job["spec"]["completions"]))
        count = rule.get("succeededCount")
        if (text := rule.get("succeededIndexes")) is not None:
            wanted &= read_indexes(text)
        elif count is None:
            continue
        met = len(wanted & succeeded)
        if wanted and (met == len(wanted) or (count is not None and met >= count)):
            return f"Matched rules at index {index}"
    return ""
