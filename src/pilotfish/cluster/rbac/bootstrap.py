"""The roles and bindings that a cluster starts with."""

from __future__ import annotations

from importlib import resources
from typing import Any, Final

import msgspec

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac.validation import GROUP

_COMMON_LABELS: Final = {"kubernetes.io/bootstrapping": "rbac-defaults"}
_ANNOTATIONS: Final = {"rbac.authorization.kubernetes.io/autoupdate": "true"}


def bootstrap_objects() -> list[JsonObject]:
    """Give what is to be created at the start, after the namespace kube-system.

    These are, under upstream's names, the roles that a scheduler and its users need, derived by
    hack/derive_rbac.py. The rules of admin, edit and view are RoleAggregation's to fill in.
    """
    table = resources.files("pilotfish.cluster.rbac").joinpath("bootstrap.json").read_bytes()
    entries: list[dict[str, Any]] = msgspec.json.decode(table)
    return [_object(entry) for entry in entries]


def _object(entry: dict[str, Any]) -> JsonObject:
    metadata: JsonObject = {
        "name": entry.pop("name"),
        "labels": _COMMON_LABELS | entry.pop("labels", {}),
        "annotations": dict(_ANNOTATIONS),
    }
    if "namespace" in entry:
        metadata["namespace"] = entry.pop("namespace")
    return {"apiVersion": f"{GROUP}/v1", "kind": entry.pop("kind"), "metadata": metadata, **entry}
