"""Does it say what it does: by Events, conditions, its log, and its role?"""

from __future__ import annotations

from typing import Any, Final

from pilotfish.client import ApiError
from pilotfish.compare.cluster_access import NAMESPACES
from pilotfish.lab.findings import Finding
from pilotfish.lab.subject import Subject

BORROWED: Final = ("system:kube-scheduler", "cluster-admin")
BINDINGS: Final = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
DEPLOYED: Final = "app in (my-scheduler,my-scheduler-polling,my-scheduler-watch)"


async def a_bind_is_recorded(subject: Subject) -> Finding:
    """`kubectl describe pod` shows a Scheduled Event."""
    event = await subject.event("first", "Scheduled")
    if event is None:
        return Finding("failed", "there is no Event Scheduled about a bound pod")
    return Finding("passed", f"Scheduled: {event.get('message', '')}")


async def a_rejection_is_said(subject: Subject) -> Finding:
    """A pod that fits nowhere has an Event and a condition that say why."""
    event = await subject.event("absurd", "FailedScheduling")
    conditions = (await subject.pod("absurd")).get("status", {}).get("conditions", [])
    scheduled = [c["status"] for c in conditions if c["type"] == "PodScheduled"]
    missing = [] if event else ["no Event FailedScheduling"]
    if scheduled != ["False"]:
        missing.append("no condition PodScheduled=False")
    if missing:
        why = f"about a pod that fits nowhere there is {' and '.join(missing)}"
        return Finding("failed", why)
    said = (event or {}).get("message", "")
    return Finding("passed", f"FailedScheduling: {said}")


async def the_log_says_bound(subject: Subject) -> Finding:
    """The scheduler's log has the line that the lab looks for."""
    line = f"Bound {subject.namespace}/first -> {subject.meter.pods['first'].node}"
    where, _ = await _log(subject)
    if not where:
        return Finding("not judged", "no pod labelled app=my-scheduler is there to read from")

    async def is_said() -> bool:
        return line in (await _log(subject))[1]

    if not await subject.eventually(is_said):
        return Finding("failed", f"the log of {where} does not say `{line}`")
    return Finding("passed", f"the log of {where} says `{line}`")


async def the_role_is_its_own(subject: Subject) -> Finding:
    """The scheduler's ServiceAccount has a role of its own, not a borrowed one."""
    pods = await _deployed_pods(subject)
    if not pods:
        return Finding("not judged", "no pod labelled app=my-scheduler is deployed")
    account = (pods[0]["metadata"]["namespace"], pods[0]["spec"].get("serviceAccountName"))
    for binding in (await subject.get(BINDINGS)).get("items", []):
        role = binding["roleRef"]["name"]
        subjects = {(s.get("namespace"), s["name"]) for s in binding.get("subjects") or ()}
        if account in subjects and role in BORROWED:
            why = f"ServiceAccount {'/'.join(map(str, account))} has the role {role}"
            return Finding("failed", f"{why} by {binding['metadata']['name']}")
    return Finding("passed", f"ServiceAccount {'/'.join(map(str, account))}")


async def _log(subject: Subject) -> tuple[str, str]:
    """Return whose log there is, and the log."""
    if subject.process is not None:
        return "the process", subject.process.output()
    pods = await _deployed_pods(subject)
    for pod in pods:
        where = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        path = f"{NAMESPACES}/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/log"
        try:
            answer = await subject.client.request("GET", path)
        except ApiError:
            continue
        return where, answer.body.decode(errors="replace")
    return "", ""


async def _deployed_pods(subject: Subject) -> list[dict[str, Any]]:
    if subject.process is not None:
        return []
    answer = await subject.cluster.items("/api/v1/pods", DEPLOYED)
    return [pod for pod in answer if pod["status"].get("phase") == "Running"]
