"""A pod's status as its kubelet writes it.

Source: kubernetes v1.36 pkg/kubelet/kubelet_pods.go (generateAPIPodStatus, getPhase) and
    pkg/kubelet/status/generate.go.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final, Literal, TypeAlias

from pilotfish.cluster.kubelet.images import digest_name, full_name
from pilotfish.cluster.kubelet.pod_run import ContainerRun, PodRun, Termination
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import containers_of
from pilotfish.cluster.timestamps import timestamp

Phase = Literal["Pending", "Running", "Succeeded", "Failed"]
_Claim: TypeAlias = tuple[bool, str, str]  # whether a condition holds, reason and message
RUNTIME: Final = "pilotfish"  # the scheme of container ids
OWN_CONDITIONS: Final = frozenset(
    ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
)

KEPT: Final = (
    "nominatedNodeName",
    "qosClass",
    "resourceClaimStatuses",
    "extendedResourceClaimStatus",
)  # what others write


def phase_of(pod: PodRun) -> Phase:
    """Tell the phase from the states of the containers."""
    is_terminal = pod.stops_by is not None
    inits = [c for c in pod.inits if c.kind == "init"]
    if any(_has_failed(c) and not _may_restart(pod, c) for c in inits):
        return "Failed"
    if is_terminal and not any(c.state == "running" for c in pod.containers):
        mains = pod.mains
        done = all(c.termination is not None and c.termination.exit_code == 0 for c in mains)
        return "Succeeded" if done and pod.failure is None else "Failed"
    sidecars = [c for c in pod.inits if c.kind == "sidecar"]
    has_run = any(c.state == "running" or _ended(c) for c in pod.mains)
    if any(c.state == "running" or (_ended(c) is None) for c in inits):
        return "Pending"
    if not has_run and any(not c.is_started for c in sidecars):
        return "Pending"
    waiting = [c for c in (*sidecars, *pod.mains) if c.state == "waiting"]
    if any(_ended(c) is None for c in waiting):
        return "Pending"
    if any(c.state == "running" for c in (*sidecars, *pod.mains)):
        return "Running"
    if any(_may_restart(pod, c) for c in pod.mains):
        return "Running"
    codes = [ended.exit_code for c in pod.mains if (ended := _ended(c)) is not None]
    return "Failed" if any(codes) else "Succeeded"


def is_finished(pod: PodRun) -> bool:
    """Say whether nothing of a pod runs or will run again."""
    if any(c.state == "running" for c in pod.containers):
        return False
    return pod.stops_by is not None or phase_of(pod) in ("Succeeded", "Failed")


def pod_status(pod: PodRun, stored: JsonObject, host_ip: str, now: float) -> JsonObject:
    """Write the status of a pod; what others said in the stored one is kept."""
    old: JsonObject = stored.get("status") or {}
    phase = phase_of(pod)
    specs = {c["name"]: c for c in containers_of(stored["spec"])}
    status = {key: value for key, value in old.items() if key in KEPT}
    if generation := stored["metadata"].get("generation"):
        status["observedGeneration"] = generation
    status |= {
        "phase": phase,
        "conditions": _conditions(pod, stored, phase, now),
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": timestamp(pod.started_at),
    }
    if pod.ip:
        status |= {"podIP": pod.ip, "podIPs": [{"ip": pod.ip}]}
    if pod.failure is not None:
        status["reason"], status["message"] = pod.failure
    if pod.inits:
        status["initContainerStatuses"] = [
            _container_status(pod, c, specs.get(c.name, {})) for c in pod.inits
        ]
    status["containerStatuses"] = [
        _container_status(pod, c, specs.get(c.name, {})) for c in pod.mains
    ]
    return status


def rejected_status(stored: JsonObject, reason: str, message: str, now: float) -> JsonObject:
    """Write the status of a pod that the kubelet does not admit.

    Source: kubernetes v1.36 pkg/kubelet/kubelet.go (rejectPod).
    """
    old: JsonObject = stored.get("status") or {}
    others = [c for c in old.get("conditions") or () if c["type"] not in OWN_CONDITIONS]
    status: JsonObject = {
        "phase": "Failed",
        "reason": reason,
        "message": f"Pod was rejected: {message}",
        "startTime": timestamp(now),
    }
    status |= {key: old[key] for key in KEPT if key in old}
    return status | ({"conditions": others} if others else {})


def container_id(pod_uid: str, name: str, restarts: int) -> str:
    """Give the id of the n-th container of a name."""
    return f"{RUNTIME}://{sha256(f'{pod_uid}/{name}/{restarts}'.encode()).hexdigest()}"


def _conditions(pod: PodRun, stored: JsonObject, phase: Phase, now: float) -> list[JsonObject]:
    given: list[JsonObject] = (stored.get("status") or {}).get("conditions") or []
    others = [c for c in given if c["type"] not in OWN_CONDITIONS]
    old = {c["type"]: c for c in given}
    has_network = pod.has_sandbox and phase not in ("Succeeded", "Failed")
    containers_ready = _containers_ready(pod, phase)
    claims: dict[str, _Claim] = {
        "PodReadyToStartContainers": (has_network, "", ""),
        "Initialized": _initialized(pod, phase),
        "Ready": _gates(stored, others) if containers_ready[0] else containers_ready,
        "ContainersReady": containers_ready,
        "PodScheduled": (True, "", ""),
    }
    generation = stored["metadata"].get("generation")
    mine = [_condition(k, c, old.get(k), generation, now) for k, c in claims.items()]
    return [*others, *mine]


def _condition(
    kind: str, claim: _Claim, old: JsonObject | None, generation: int | None, now: float
) -> JsonObject:
    is_true, reason, message = claim
    status = "True" if is_true else "False"
    since = old["lastTransitionTime"] if old and old["status"] == status else None
    condition: JsonObject = {"type": kind}
    if generation:
        condition["observedGeneration"] = generation
    condition |= {
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": since or timestamp(now),
    }
    if reason:
        condition["reason"] = reason
    if message:
        condition["message"] = message
    return condition


def _containers_ready(pod: PodRun, phase: Phase) -> _Claim:
    if phase == "Succeeded":
        return False, "PodCompleted", ""
    if phase == "Failed":
        return False, "PodFailed", ""
    unready = [c.name for c in pod.containers if c.kind != "init" and not c.is_ready]
    if not unready:
        return True, "", ""
    return False, "ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]"


def _gates(stored: JsonObject, conditions: list[JsonObject]) -> _Claim:
    found = {c["type"]: c["status"] for c in conditions}
    texts = []
    for gate in stored["spec"].get("readinessGates") or ():
        kind = gate["conditionType"]
        if kind not in found:
            texts.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif found[kind] != "True":
            texts.append(
                f'the status of pod readiness gate "{kind}" is not "True", but {found[kind]}'
            )
    return (False, "ReadinessGatesNotReady", ", ".join(texts)) if texts else (True, "", "")


def _initialized(pod: PodRun, phase: Phase) -> _Claim:
    if phase == "Succeeded":
        return True, "PodCompleted", ""
    if any(c.state == "running" or _ended(c) is not None for c in pod.mains):
        return True, "", ""
    missing = [c.name for c in pod.inits if not c.is_initialized]
    if not missing:
        return True, "", ""
    text = f"containers with incomplete status: [{' '.join(missing)}]"
    return False, "ContainersNotInitialized", text


def _container_status(pod: PodRun, container: ContainerRun, spec: JsonObject) -> JsonObject:
    has_run = container.state != "waiting" or container.last is not None
    status: JsonObject = {
        "name": container.name,
        "state": _state(pod, container),
        "lastState": {},
        "ready": container.is_ready or (container.kind == "init" and container.is_initialized),
        "restartCount": container.restarts,
        "image": full_name(container.image) if has_run else container.image,
        "imageID": digest_name(container.image) if has_run else "",
        "started": container.is_started,
    }
    if has_run:
        runs = container.restarts
        status["containerID"] = container_id(pod.uid, container.name, runs)
    if container.last is not None:
        runs = container.restarts - (container.state != "waiting")
        status["lastState"] = {
            "terminated": _terminated(pod, container, container.last, max(0, runs))
        }
    resources = spec.get("resources")
    if resources and container.kind != "init":
        status["resources"] = resources
        if requests := resources.get("requests"):
            status["allocatedResources"] = requests
    return status


def _state(pod: PodRun, container: ContainerRun) -> JsonObject:
    if container.state == "running":
        return {"running": {"startedAt": timestamp(container.started_at)}}
    if container.termination is not None:
        how = container.termination
        return {"terminated": _terminated(pod, container, how, container.restarts)}
    waiting = {"reason": container.reason}
    if container.message:
        waiting["message"] = container.message
    return {"waiting": waiting}


def _terminated(
    pod: PodRun, container: ContainerRun, how: Termination, restarts: int
) -> JsonObject:
    state: JsonObject = {
        "exitCode": how.exit_code,
        "reason": how.reason,
        "startedAt": timestamp(how.started_at),
        "finishedAt": timestamp(how.finished_at),
        "containerID": container_id(pod.uid, container.name, restarts),
    }
    return state | ({"message": how.message} if how.message else {})


def _ended(container: ContainerRun) -> Termination | None:
    """Give how a container ended, now or the time before; None while it never has."""
    return container.termination or (container.last if container.state == "waiting" else None)


def _has_failed(container: ContainerRun) -> bool:
    ended = _ended(container)
    return ended is not None and ended.exit_code != 0


def _may_restart(pod: PodRun, container: ContainerRun) -> bool:
    if pod.restart_policy == "OnFailure":
        return _has_failed(container)
    return pod.restart_policy == "Always"
