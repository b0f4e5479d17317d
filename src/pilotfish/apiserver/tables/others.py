"""The tables of nodes, events, roles and the small kinds.

Source: kubernetes v1.36 pkg/printers/internalversion/printers.go.
"""

from __future__ import annotations

from pilotfish.apiserver.tables.ages import UNKNOWN, age
from pilotfish.apiserver.tables.cells import age_of, name_of, part
from pilotfish.apiserver.tables.columns import (
    AGE,
    NAME,
    NONE,
    Cells,
    Column,
    Object,
    Table,
    integers,
    texts,
    wide,
)

_ROLE_PREFIX = "node-role.kubernetes.io/"
_ROLE_LABEL = "kubernetes.io/role"


def _node(obj: Object, now: float) -> Cells:
    status = part(obj, "status")
    info = part(status, "nodeInfo")
    kernel = info.get("kernelVersion") or UNKNOWN
    if architecture := info.get("architecture"):
        kernel += f" ({architecture})"
    return [
        name_of(obj),
        _node_state(obj),
        ",".join(_node_roles(obj)) or NONE,
        age_of(obj, now),
        info.get("kubeletVersion", ""),
        _address(status, "InternalIP"),
        _address(status, "ExternalIP"),
        info.get("osImage") or UNKNOWN,
        kernel,
        info.get("containerRuntimeVersion") or UNKNOWN,
    ]


def _node_state(obj: Object) -> str:
    state = "Unknown"
    for condition in part(obj, "status").get("conditions") or ():
        if condition.get("type") == "Ready":
            state = "Ready" if condition.get("status") == "True" else "NotReady"
    return f"{state},SchedulingDisabled" if part(obj, "spec").get("unschedulable") else state


def _node_roles(obj: Object) -> list[str]:
    roles = set()
    for key, value in part(obj, "metadata", "labels").items():
        if key.startswith(_ROLE_PREFIX):
            roles.add(key.removeprefix(_ROLE_PREFIX))
        elif key == _ROLE_LABEL:
            roles.add(value)
    return sorted(roles - {""})


def _address(status: Object, kind: str) -> str:
    for address in status.get("addresses") or ():
        if address.get("type") == kind:
            return str(address.get("address", ""))
    return NONE


def _event(obj: Object, now: float) -> Cells:
    first = age(obj.get("firstTimestamp") or obj.get("eventTime"), now)
    last = age(obj["lastTimestamp"], now) if obj.get("lastTimestamp") else first
    count = obj.get("count") or 1
    if series := obj.get("series"):
        last = age(series.get("lastObservedTime"), now)
        count = series.get("count", 0)
    about = part(obj, "involvedObject")
    source = part(obj, "source")
    origin = (
        source.get("component") or obj.get("reportingComponent"),
        source.get("host") or obj.get("reportingInstance"),
    )
    return [
        last,
        obj.get("type", ""),
        obj.get("reason", ""),
        "/".join(filter(None, (about.get("kind", "").lower(), about.get("name")))),
        about.get("fieldPath", ""),
        ", ".join(filter(None, origin)),
        (obj.get("message") or "").strip(),
        first,
        count,
        name_of(obj),
    ]


def _binding(obj: Object, now: float) -> Cells:
    role = part(obj, "roleRef")
    users, groups, accounts = [], [], []
    for subject in obj.get("subjects") or ():
        name = subject.get("name", "")
        match subject.get("kind"):
            case "User":
                users.append(name)
            case "Group":
                groups.append(name)
            case "ServiceAccount":
                accounts.append(f"{subject.get('namespace', '')}/{name}")
    return [
        name_of(obj),
        f"{role.get('kind', '')}/{role.get('name', '')}",
        age_of(obj, now),
        ", ".join(users),
        ", ".join(groups),
        ", ".join(accounts),
    ]


def _namespace(obj: Object, now: float) -> Cells:
    return [name_of(obj), part(obj, "status").get("phase", ""), age_of(obj, now)]


def _secret(obj: Object, now: float) -> Cells:
    return [name_of(obj), obj.get("type", ""), len(part(obj, "data")), age_of(obj, now)]


def _config_map(obj: Object, now: float) -> Cells:
    return [name_of(obj), len(part(obj, "data")) + len(part(obj, "binaryData")), age_of(obj, now)]


def _lease(obj: Object, now: float) -> Cells:
    return [name_of(obj), part(obj, "spec").get("holderIdentity") or "", age_of(obj, now)]


def _priority_class(obj: Object, now: float) -> Cells:
    return [
        name_of(obj),
        obj.get("value", 0),
        obj.get("globalDefault", False),
        age_of(obj, now),
        obj.get("preemptionPolicy") or "",
    ]


def _runtime_class(obj: Object, now: float) -> Cells:
    return [name_of(obj), obj.get("handler", ""), age_of(obj, now)]


def _name_and_age(obj: Object, now: float) -> Cells:
    return [name_of(obj), age_of(obj, now)]


def _scale(obj: Object, now: float) -> Cells:
    return [
        name_of(obj),
        part(obj, "spec").get("replicas", 0),
        part(obj, "status").get("replicas", 0),
        age_of(obj, now),
    ]


def _default(obj: Object, _now: float) -> Cells:
    return [name_of(obj), part(obj, "metadata").get("creationTimestamp")]


NODES = Table(
    (
        NAME,
        *texts("Status", "Roles"),
        AGE,
        *texts("Version"),
        *wide("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime"),
    ),
    _node,
)
EVENTS = Table(
    (
        *texts("Last Seen", "Type", "Reason", "Object"),
        *wide("Subobject", "Source"),
        *texts("Message"),
        *wide("First Seen", "Count"),
        Column("Name", format="name", priority=1),
    ),
    _event,
)
ROLE_BINDINGS = Table(
    (NAME, *texts("Role"), AGE, *wide("Users", "Groups", "ServiceAccounts")), _binding
)
NAMESPACES = Table((NAME, *texts("Status"), AGE), _namespace)
SECRETS = Table((NAME, *texts("Type", "Data"), AGE), _secret)
CONFIG_MAPS = Table((NAME, *texts("Data"), AGE), _config_map)
LEASES = Table((NAME, *texts("Holder"), AGE), _lease)
PRIORITY_CLASSES = Table(
    (
        NAME,
        *integers("Value"),
        Column("Global-Default", "boolean"),
        AGE,
        *texts("PreemptionPolicy"),
    ),
    _priority_class,
)
RUNTIME_CLASSES = Table((NAME, *texts("Handler"), AGE), _runtime_class)
NAMES_AND_AGES = Table((NAME, AGE), _name_and_age)
SCALES = Table((Column("Name"), *integers("Desired", "Available"), AGE), _scale)
DEFAULT = Table((NAME, Column("Created At", "date")), _default)
