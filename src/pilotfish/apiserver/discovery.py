"""What the server says about itself: groups, resources, its version, its paths.

Source: the discovery documents of kube-apiserver v1.36.3.
"""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from pilotfish import __version__
from pilotfish.apiserver.media_types import JSON
from pilotfish.cluster.resources import Resource, ResourceTable
from pilotfish.cluster.subresources import SUBRESOURCES

AGGREGATED: Final = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
KUBERNETES_VERSION: Final = "v1.36.3"  # whose behaviour is imitated

_HEALTH: Final = ("/healthz", "/livez", "/readyz")
_CHECKS: Final = ("ping", "store", "controllers")


class Document(msgspec.Struct, frozen=True):
    """A document that does not change while the server runs."""

    body: bytes
    etag: str = ""
    media_type: str = JSON

    @classmethod
    def of(cls, content: Any, media_type: str = JSON) -> Document:
        """Encode a document."""
        body = msgspec.json.encode(content)
        return cls(body, f'"{hashlib.sha256(body).hexdigest().upper()}"', media_type)


class Discovery:
    """All documents, made once.

    Args:
        table: the resources that are served.
        address: host and port at which clients reach the server.
    """

    def __init__(self, table: ResourceTable, address: str) -> None:
        self._versions = table.group_versions()
        groups = [_group(group, self._versions) for group in _groups(self._versions)]
        clients = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
        core = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": clients}
        self._plain: dict[str, Document] = {
            "/api": Document.of(core),
            "/apis": Document.of({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}),
        }
        for group in groups:
            content = {"kind": "APIGroup", "apiVersion": "v1", **group}
            self._plain[f"/apis/{group['name']}"] = Document.of(content)
        for group_name, version in self._versions:
            content = _resource_list(table.in_version(group_name, version))
            self._plain[_path(group_name, version)] = Document.of(content)
        self._aggregated = {
            "/api": _aggregated(table, [""]),
            "/apis": _aggregated(table, _groups(self._versions)),
        }
        self._plain["/"] = Document.of({"paths": self._paths()})
        self._plain["/version"] = Document.of(_version())

    def document(self, path: str, *, aggregated: bool) -> Document | None:
        """Return the document at a path without a slash at its end, or None."""
        if aggregated and path in self._aggregated:
            return self._aggregated[path]
        return self._plain.get(path)

    def has_group(self, group: str) -> bool:
        """Say whether any version of a group is served."""
        return any(group == name for name, _ in self._versions)

    def _paths(self) -> list[str]:
        others = [*_HEALTH, "/openapi/v3", "/version"]
        return sorted([*self._plain, *others])


def health(path: str, *, verbose: bool) -> bytes | None:
    """Return what a health check says, None where the path is none; who answers is well."""
    for root in _HEALTH:
        if path == root:
            if not verbose:
                return b"ok"
            lines = [f"[+]{check} ok" for check in _CHECKS]
            return "\n".join([*lines, f"{root[1:]} check passed", ""]).encode()
        if path.startswith(f"{root}/") and path.removeprefix(f"{root}/") in _CHECKS:
            return b"ok"
    return None


def _version() -> dict[str, str]:
    major, minor = KUBERNETES_VERSION.removeprefix("v").split(".")[:2]
    python = ".".join(map(str, sys.version_info[:3]))
    return {
        "major": major,
        "minor": minor,
        "gitVersion": f"{KUBERNETES_VERSION}+pilotfish-{__version__}",
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": f"python{python}",
        "compiler": platform.python_implementation().lower(),
        "platform": f"{sys.platform}/{platform.machine()}",
    }


def _path(group: str, version: str) -> str:
    return f"/apis/{group}/{version}" if group else f"/api/{version}"


def _groups(versions: Iterable[tuple[str, str]]) -> list[str]:
    return [group for group in dict.fromkeys(group for group, _ in versions) if group]


def _group(name: str, versions: Iterable[tuple[str, str]]) -> dict[str, Any]:
    served = [
        {"groupVersion": f"{name}/{version}", "version": version}
        for group, version in versions
        if group == name
    ]
    return {"name": name, "versions": served, "preferredVersion": served[0]}


def _resource_list(resources: Iterable[Resource]) -> dict[str, Any]:
    entries = []
    api_version = ""
    for resource in resources:
        api_version = resource.api_version
        entry = {
            "name": resource.plural,
            "singularName": resource.singular,
            "namespaced": resource.namespaced,
            "kind": resource.kind,
            "verbs": resource.verbs,
            "shortNames": resource.short_names,
            "categories": resource.categories,
        }
        entries.append(_without_empty(entry, "shortNames", "categories"))
        for name in resource.subresources:
            part = SUBRESOURCES[name]
            sub = {
                "name": f"{resource.plural}/{name}",
                "singularName": "",
                "namespaced": resource.namespaced,
                "group": part.group,
                "version": part.version,
                "kind": part.kind or resource.kind,
                "verbs": part.verbs,
            }
            entries.append(_without_empty(sub, "group", "version"))
    head = {"kind": "APIResourceList", "apiVersion": "v1" if "/" in api_version else ""}
    content = {**head, "groupVersion": api_version, "resources": entries}
    return _without_empty(content, "apiVersion")


def _aggregated(table: ResourceTable, groups: Iterable[str]) -> Document:
    items = []
    for group in groups:
        versions = [
            {
                "version": version,
                "resources": [_aggregated_entry(r) for r in table.in_version(group, version)],
                "freshness": "Current",
            }
            for name, version in table.group_versions()
            if name == group
        ]
        items.append({"metadata": {"name": group} if group else {}, "versions": versions})
    content = {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }
    return Document.of(content, AGGREGATED)


def _aggregated_entry(resource: Resource) -> dict[str, Any]:
    entry = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": resource.verbs,
        "shortNames": resource.short_names,
        "categories": resource.categories,
        "subresources": [_aggregated_subresource(resource, name) for name in resource.subresources],
    }
    return _without_empty(entry, "shortNames", "categories", "subresources")


def _aggregated_subresource(resource: Resource, name: str) -> dict[str, Any]:
    part = SUBRESOURCES[name]
    kind = {"group": part.group, "version": part.version, "kind": part.kind or resource.kind}
    return {"subresource": name, "responseKind": kind, "verbs": part.verbs}


def _without_empty(entry: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if value or key not in names}
