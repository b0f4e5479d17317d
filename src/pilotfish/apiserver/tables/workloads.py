"""The tables of workloads and services.

Source: kubernetes v1.36 pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.apiserver.tables.ages import human_duration, seconds_of
from pilotfish.apiserver.tables.cells import (
    age_of,
    container_cells,
    format_labels,
    format_selector,
    has_condition,
    is_being_deleted,
    name_of,
    part,
)
from pilotfish.apiserver.tables.columns import (
    AGE,
    NAME,
    NONE,
    Cells,
    Object,
    Table,
    integers,
    texts,
    wide,
)

_TEMPLATE = wide("Containers", "Images", "Selector")
_JOB_STATES = (
    ("Suspended", "Suspended"),
    ("FailureTarget", "FailureTarget"),
    ("SuccessCriteriaMet", "SuccessCriteriaMet"),
)


def _template_spec(obj: Object) -> Object:
    return part(obj, "spec", "template", "spec")


def _deployment(obj: Object, now: float) -> Cells:
    spec, status = part(obj, "spec"), part(obj, "status")
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 0)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age_of(obj, now),
        *container_cells(_template_spec(obj)),
        format_selector(spec.get("selector")),
    ]


def _controller_revision(obj: Object, now: float) -> Cells:
    owners = part(obj, "metadata").get("ownerReferences") or ()
    owner = next((each for each in owners if each.get("controller")), None)
    controller = NONE
    if owner is not None:
        group = owner["apiVersion"].rpartition("/")[0]
        kind = owner["kind"].lower()
        controller = f"{kind}.{group}/{owner['name']}" if group else f"{kind}/{owner['name']}"
    return [name_of(obj), controller, obj.get("revision", 0), age_of(obj, now)]


def _replica_set(obj: Object, now: float) -> Cells:
    return [*_replicas(obj, now), format_selector(part(obj, "spec").get("selector"))]


def _replication_controller(obj: Object, now: float) -> Cells:
    return [*_replicas(obj, now), format_labels(part(obj, "spec").get("selector"))]


def _replicas(obj: Object, now: float) -> Cells:
    status = part(obj, "status")
    return [
        name_of(obj),
        part(obj, "spec").get("replicas", 0),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age_of(obj, now),
        *container_cells(_template_spec(obj)),
    ]


def _stateful_set(obj: Object, now: float) -> Cells:
    ready = part(obj, "status").get("readyReplicas", 0)
    return [
        name_of(obj),
        f"{ready}/{part(obj, 'spec').get('replicas', 0)}",
        age_of(obj, now),
        *container_cells(_template_spec(obj)),
    ]


def _daemon_set(obj: Object, now: float) -> Cells:
    status = part(obj, "status")
    return [
        name_of(obj),
        status.get("desiredNumberScheduled", 0),
        status.get("currentNumberScheduled", 0),
        status.get("numberReady", 0),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        format_labels(_template_spec(obj).get("nodeSelector")),
        age_of(obj, now),
        *container_cells(_template_spec(obj)),
        format_selector(part(obj, "spec").get("selector")),
    ]


def _job(obj: Object, now: float) -> Cells:
    return [
        name_of(obj),
        _job_state(obj),
        _completions(obj),
        _job_duration(obj, now),
        age_of(obj, now),
        *container_cells(_template_spec(obj)),
        format_selector(part(obj, "spec").get("selector")),
    ]


def _job_state(obj: Object) -> str:
    if has_condition(obj, "Complete"):
        return "Complete"
    if has_condition(obj, "Failed"):
        return "Failed"
    if is_being_deleted(obj):
        return "Terminating"
    for condition, state in _JOB_STATES:
        if has_condition(obj, condition):
            return state
    return "Running"


def _completions(obj: Object) -> str:
    spec, succeeded = part(obj, "spec"), part(obj, "status").get("succeeded", 0)
    if (wanted := spec.get("completions")) is not None:
        return f"{succeeded}/{wanted}"
    parallelism = spec.get("parallelism") or 0
    return f"{succeeded}/1 of {parallelism}" if parallelism > 1 else f"{succeeded}/1"


def _job_duration(obj: Object, now: float) -> str:
    status = part(obj, "status")
    started = seconds_of(status.get("startTime"))
    if started is None:
        return ""
    completed = seconds_of(status.get("completionTime"))
    return human_duration((now if completed is None else completed) - started)


def _pod_disruption_budget(obj: Object, now: float) -> Cells:
    spec = part(obj, "spec")
    return [
        name_of(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        part(obj, "status").get("disruptionsAllowed", 0),
        age_of(obj, now),
    ]


def _service(obj: Object, now: float) -> Cells:
    spec = part(obj, "spec")
    addresses = spec.get("clusterIPs") or ()
    return [
        name_of(obj),
        spec.get("type", ""),
        addresses[0] if addresses else NONE,
        _external_address(obj),
        _ports(spec.get("ports") or ()),
        age_of(obj, now),
        format_labels(spec.get("selector")),
    ]


def _external_address(obj: Object) -> str:
    spec = part(obj, "spec")
    external = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "ClusterIP" | "NodePort":
            return ",".join(external) or NONE
        case "LoadBalancer":
            return ",".join([*_balancer_addresses(obj), *external]) or "<pending>"
        case "ExternalName":
            return str(spec.get("externalName", ""))
    return "<unknown>"


def _balancer_addresses(obj: Object) -> list[str]:
    ingress = part(obj, "status", "loadBalancer").get("ingress") or ()
    return sorted({entry.get("ip") or entry.get("hostname") or "" for entry in ingress} - {""})


def _ports(ports: Sequence[Object]) -> str:
    pieces = []
    for port in ports:
        node_port = f":{port['nodePort']}" if port.get("nodePort") else ""
        pieces.append(f"{port.get('port', 0)}{node_port}/{port.get('protocol', 'TCP')}")
    return ",".join(pieces) or NONE


_COUNTS = integers("Desired", "Current", "Ready")
_SCALED = (NAME, *_COUNTS, AGE, *_TEMPLATE)

DEPLOYMENTS = Table(
    (
        NAME,
        *texts("Ready", "Up-to-date", "Available"),
        AGE,
        *_TEMPLATE,
    ),
    _deployment,
)
REPLICA_SETS = Table(_SCALED, _replica_set)
REPLICATION_CONTROLLERS = Table(_SCALED, _replication_controller)
STATEFUL_SETS = Table((NAME, *texts("Ready"), AGE, *wide("Containers", "Images")), _stateful_set)
CONTROLLER_REVISIONS = Table((NAME, *texts("Controller", "Revision"), AGE), _controller_revision)
DAEMON_SETS = Table(
    (
        NAME,
        *_COUNTS,
        *integers("Up-to-date", "Available"),
        *texts("Node Selector"),
        AGE,
        *_TEMPLATE,
    ),
    _daemon_set,
)
JOBS = Table((NAME, *texts("Status", "Completions", "Duration"), AGE, *_TEMPLATE), _job)
POD_DISRUPTION_BUDGETS = Table(
    (
        NAME,
        *texts("Min Available", "Max Unavailable"),
        *integers("Allowed Disruptions"),
        AGE,
    ),
    _pod_disruption_budget,
)
SERVICES = Table(
    (
        NAME,
        *texts("Type", "Cluster-IP", "External-IP", "Port(s)"),
        AGE,
        *wide("Selector"),
    ),
    _service,
)
