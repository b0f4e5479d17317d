"""Where the pods of a DaemonSet may run, and what ties each to its node.

Source: kubernetes v1.36 pkg/controller/daemon/util/daemonset_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from pilotfish.api.affinity import NodeAffinity
from pilotfish.api.meta import ApiStruct
from pilotfish.api.node import Node
from pilotfish.api.pod import Toleration
from pilotfish.api.selectors import NODE_NAME_FIELD
from pilotfish.cluster.objects import JsonObject

_REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
_TOLERATED: Final = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)
_TOLERATED_ON_HOST_NETWORK: Final = ("node.kubernetes.io/network-unavailable", "NoSchedule")


class _Affinity(ApiStruct, frozen=True):
    node_affinity: NodeAffinity | None = None


class _Spec(ApiStruct, frozen=True):
    node_name: str = ""
    node_selector: dict[str, str] = msgspec.field(default_factory=dict)
    affinity: _Affinity | None = None
    tolerations: tuple[Toleration, ...] = ()
    host_network: bool = False


class DaemonPlacement:
    """Which nodes a template's pods belong on."""

    def __init__(self, template: JsonObject) -> None:
        spec = {key: value for key, value in template["spec"].items() if value is not None}
        self._spec = msgspec.convert(spec, _Spec)
        given = spec.get("tolerations") or []
        everything = [*given, *_added_tolerations(given, host_network=self._spec.host_network)]
        self._tolerations = msgspec.convert(everything, tuple[Toleration, ...])

    def on(self, node: Node) -> tuple[bool, bool]:
        """Say whether a pod should be started on a node, and whether one there may stay."""
        if not self._is_wanted(node):
            return False, False
        untolerated = {
            taint.effect
            for taint in node.spec.taints
            if not any(toleration.tolerates(taint) for toleration in self._tolerations)
        }
        may_stay = "NoExecute" not in untolerated
        return may_stay and "NoSchedule" not in untolerated, may_stay

    def _is_wanted(self, node: Node) -> bool:
        spec = self._spec
        if spec.node_name not in ("", node.name):
            return False
        if any(node.labels.get(key) != value for key, value in spec.node_selector.items()):
            return False
        affinity = spec.affinity.node_affinity if spec.affinity else None
        required = affinity.required if affinity else None
        return required is None or required.matches(node.labels, node.name)


def daemon_template(template: JsonObject, node_name: str) -> JsonObject:
    """Tie a template to a node, and let it stay there through the node's troubles."""
    spec = template["spec"]
    given = spec.get("tolerations") or []
    added = _added_tolerations(given, host_network=bool(spec.get("hostNetwork")))
    spec["tolerations"] = [*given, *added]
    affinity = dict(spec.get("affinity") or {})
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    field = {"key": NODE_NAME_FIELD, "operator": "In", "values": [node_name]}
    node_affinity[_REQUIRED] = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    spec["affinity"] = {**affinity, "nodeAffinity": node_affinity}
    return template


def target_node(pod: JsonObject) -> str:
    """Give the node that an unbound daemon pod is tied to; empty where it is to none."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    for term in (affinity.get(_REQUIRED) or {}).get("nodeSelectorTerms") or ():
        for field in term.get("matchFields") or ():
            if field["key"] == NODE_NAME_FIELD and field["operator"] == "In":
                name: str = field["values"][0]
                return name
    return ""


def _added_tolerations(given: Iterable[JsonObject], *, host_network: bool) -> Iterable[JsonObject]:
    extra = (_TOLERATED_ON_HOST_NETWORK,) if host_network else ()
    made = [{"key": k, "operator": "Exists", "effect": e} for k, e in (*_TOLERATED, *extra)]
    return [toleration for toleration in made if toleration not in list(given)]
