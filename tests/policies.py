"""Makers of roles and bindings for tests, and a store that holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.rbac import PathAttributes, ResourceAttributes
from pilotfish.cluster.requests import User
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Store

GROUP = "rbac.authorization.k8s.io"


def user(name: str, *groups: str) -> User:
    """Make a user who has proved who he is."""
    return User(name, (*groups, "system:authenticated"))


def rule(verbs: str, resources: str, *names: str, groups: str = "") -> JsonObject:
    """Make a rule on resources: words are separated by commas, the core group is `core`."""
    api_groups = ["" if group == "core" else group for group in (groups or "core").split(",")]
    made = {"verbs": verbs.split(","), "apiGroups": api_groups, "resources": resources.split(",")}
    return made | ({"resourceNames": list(names)} if names else {})


def path_rule(verbs: str, *paths: str) -> JsonObject:
    """Make a rule on paths."""
    return {"verbs": verbs.split(","), "nonResourceURLs": list(paths)}


def cluster_role(
    name: str,
    *rules: JsonObject,
    labels: Mapping[str, str] | None = None,
    aggregates: Iterable[Mapping[str, str]] = (),
) -> JsonObject:
    """Make a ClusterRole; `aggregates` are the labels that it selects others by."""
    selectors = [{"matchLabels": dict(wanted)} for wanted in aggregates]
    aggregation = {"aggregationRule": {"clusterRoleSelectors": selectors}} if selectors else {}
    made = _object("ClusterRole", {"name": name, "labels": dict(labels or {})})
    return made | {"rules": list(rules)} | aggregation


def role(namespace: str, name: str, *rules: JsonObject) -> JsonObject:
    """Make a Role."""
    return _object("Role", {"name": name, "namespace": namespace}) | {"rules": list(rules)}


def binding(name: str, granted: str, *subjects: str, namespace: str = "") -> JsonObject:
    """Make a binding of `ClusterRole/view` to subjects such as `User/ada`, `ServiceAccount/ns/x`.

    It is a RoleBinding where it has a namespace.
    """
    kind, _, role_name = granted.partition("/")
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    made = _object("RoleBinding" if namespace else "ClusterRoleBinding", metadata)
    return made | {
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": role_name},
        "subjects": [_subject(text) for text in subjects],
    }


def store_of(*objects: JsonObject) -> Store:
    """Make a store that holds these objects."""
    store = Store()
    put(store, *objects)
    return store


def put(store: Store, *objects: JsonObject) -> None:
    """Write objects as they are."""
    for obj in objects:
        store.put(storage_of(obj), obj)


def remove(store: Store, obj: JsonObject) -> None:
    """Take an object out."""
    metadata = obj["metadata"]
    store.remove(storage_of(obj), metadata.get("namespace", ""), metadata["name"])


def storage_of(obj: JsonObject) -> str:
    """Say where objects of this kind are stored."""
    resource = TABLE.of_kind(obj["apiVersion"], obj["kind"])
    assert resource is not None
    return resource.storage


def ask(verb: str, resource: str, *, group: str = "", **rest: str) -> ResourceAttributes:
    """Make the attributes of a request on `pods` or `pods/status`."""
    plural, _, subresource = resource.partition("/")
    return ResourceAttributes(
        verb=verb, group=group, resource=plural, subresource=subresource, **rest
    )


def ask_path(verb: str, path: str) -> PathAttributes:
    """Make the attributes of a request on a path."""
    return PathAttributes(verb=verb, path=path)


def _object(kind: str, metadata: dict[str, Any]) -> JsonObject:
    return {"apiVersion": f"{GROUP}/v1", "kind": kind, "metadata": metadata}


def _subject(text: str) -> JsonObject:
    match text.split("/"):
        case [kind, name]:
            group = {} if kind == "ServiceAccount" else {"apiGroup": GROUP}
            return {"kind": kind, "name": name, **group}
        case [kind, namespace, name]:
            return {"kind": kind, "name": name, "namespace": namespace}
        case _:
            raise ValueError(text)
