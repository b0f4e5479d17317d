"""OpenAPI v3 documents, rebuilt from the table: what kubectl reads to explain, apply and validate.

kubectl v1.36 asks for `/openapi/v3` and the documents of group versions, as JSON. It looks for
types by kind, for the path that has a kind, and whether its PATCH takes a strategic merge patch and
`fieldValidation`. `/openapi/v2` is its fall-back only and is not served.

Source: kubernetes v1.36 staging/src/k8s.io/kubectl/pkg/explain/v2/templates/plaintext.tmpl,
    pkg/cmd/apply/patcher.go; cli-runtime/pkg/resource/query_param_verifier_v3.go.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from pilotfish.cluster.resources import Resource
from pilotfish.cluster.schema.table import Field, Table, TypeInfo
from pilotfish.cluster.subresources import SUBRESOURCES

JsonObject = dict[str, Any]

GVK: Final = "x-kubernetes-group-version-kind"
META: Final = "io.k8s.apimachinery.pkg.apis.meta.v1."
PATCH: Final = META + "Patch"
PATCH_TYPES: Final = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
)

_LEAVES: Final[dict[str, tuple[str, JsonObject]]] = {
    "quantity": (
        "io.k8s.apimachinery.pkg.api.resource.Quantity",
        {"oneOf": [{"type": "string"}, {"type": "number"}]},
    ),
    "int-or-string": (
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString",
        {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
    ),
    "time": (META + "Time", {"type": "string", "format": "date-time"}),
    "micro-time": (META + "MicroTime", {"type": "string", "format": "date-time"}),
    "v1.FieldsV1": (META + "FieldsV1", {"type": "object"}),
    "runtime.RawExtension": ("io.k8s.apimachinery.pkg.runtime.RawExtension", {"type": "object"}),
}
_QUERY: Final = {
    name: {"name": name, "in": "query", "schema": {"type": kind, "uniqueItems": True}}
    for name, kind in (
        ("dryRun", "string"), ("fieldManager", "string"), ("fieldValidation", "string"),
        ("labelSelector", "string"), ("fieldSelector", "string"), ("limit", "integer"),
        ("continue", "string"), ("resourceVersion", "string"), ("watch", "boolean"),
        ("timeoutSeconds", "integer"), ("gracePeriodSeconds", "integer"),
        ("propagationPolicy", "string"),
    )
}  # fmt: skip
_READS: Final = ("labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "watch")
_WRITES: Final = ("dryRun", "fieldManager", "fieldValidation")
_DELETES: Final = ("dryRun", "gracePeriodSeconds", "propagationPolicy")
_COLLECTION: Final = (
    ("list", "get", "list", _READS),
    ("create", "post", "post", _WRITES),
    ("deletecollection", "delete", "deletecollection", (*_DELETES, *_READS)),
)
_ITEM: Final = (
    ("get", "get", "get", ()),
    ("update", "put", "put", _WRITES),
    ("patch", "patch", "patch", _WRITES),
    ("delete", "delete", "delete", _DELETES),
)
_PARTS: Final = (*_ITEM[:3], ("create", "post", "post", _WRITES))


class OpenApi:
    """The documents of all group versions that have resources with types."""

    def __init__(self, table: Table, resources: Iterable[Resource]) -> None:
        self._table = table
        self._resources: dict[str, list[Resource]] = {}
        for resource in resources:
            if _kind_name(resource) in table.kinds:
                root = "apis" if resource.group else "api"
                self._resources.setdefault(f"{root}/{resource.api_version}", []).append(resource)
        self._documents: dict[str, bytes] = {}

    def index(self) -> bytes:
        """Return the answer to `/openapi/v3`: where each document is, with the hash of it."""
        paths = {
            name: {"serverRelativeURL": f"/openapi/v3/{name}?hash={self.hash(name)}"}
            for name in self._resources
        }
        return msgspec.json.encode({"paths": paths})

    def document(self, name: str) -> bytes | None:
        """Return the document of `api/v1` or `apis/apps/v1`, or None."""
        if name not in self._documents and name in self._resources:
            self._documents[name] = msgspec.json.encode(self._build(name))
        return self._documents.get(name)

    def hash(self, name: str) -> str:
        """Return what changes when a document does, for caches."""
        return hashlib.sha512(self.document(name) or b"").hexdigest().upper()

    def _build(self, name: str) -> JsonObject:
        resources = self._resources[name]
        paths = dict(path for resource in resources for path in self._paths(name, resource))
        kinds = {_kind_name(resource) for resource in resources} | {"v1 DeleteOptions"}
        for part in (SUBRESOURCES[sub] for resource in resources for sub in resource.subresources):
            if part.kind:
                kinds.add(f"{_api_version(part.group, part.version or 'v1')} {part.kind}")
        return {
            "openapi": "3.0.0",
            "info": {"title": "Kubernetes", "version": self._table.version},
            "paths": paths,
            "components": {"schemas": self._schemas(sorted(kinds & self._table.kinds.keys()))},
        }

    def _paths(self, name: str, resource: Resource) -> Iterator[tuple[str, JsonObject]]:
        scope = "/namespaces/{namespace}" if resource.namespaced else ""
        base = f"/{name}{scope}/{resource.plural}"
        type_name = self._table.kinds[_kind_name(resource)]
        kind = _gvk(_kind_name(resource))
        yield base, _operations(_COLLECTION, resource.verbs, kind, type_name)
        if scope:
            yield (
                f"/{name}/{resource.plural}",
                _operations(_COLLECTION[:1], resource.verbs, kind, type_name),
            )
        item = _operations(_ITEM, resource.verbs, kind, type_name)
        if item:
            yield f"{base}/{{name}}", item
        for sub in resource.subresources:
            part = SUBRESOURCES[sub]
            own = _kind_name(resource)
            if part.kind:
                own = f"{_api_version(part.group, part.version or 'v1')} {part.kind}"
            yield (
                f"{base}/{{name}}/{sub}",
                _operations(_PARTS, part.verbs, _gvk(own), self._table.kinds.get(own, type_name)),
            )

    def _schemas(self, kinds: list[str]) -> JsonObject:
        """Return the types of kinds, and all types that are in them, by name."""
        names = {self._table.kinds[kind]: _gvk(kind) for kind in kinds}
        found: JsonObject = {PATCH: {"type": "object"}}
        wanted = list(names)
        while wanted:
            name = wanted.pop()
            if name not in found:
                info = self._table.types[name]
                found[name] = _type_schema(info)
                if name in names:
                    found[name][GVK] = [names[name]]
                for field in info.fields.values():
                    wanted += _references(field, found)
        return dict(sorted(found.items()))


def _operations(
    known: Iterable[tuple[str, str, str, tuple[str, ...]]],
    verbs: tuple[str, ...],
    kind: JsonObject,
    type_name: str,
) -> JsonObject:
    """Return the operations of one path, of those verbs that its resource has."""
    found: JsonObject = {}
    body = {"schema": _reference(type_name)}
    for verb, method, action, parameters in known:
        if verb not in verbs:
            continue
        operation = found[method] = {
            "parameters": [_QUERY[name] for name in parameters],
            "responses": {"200": {"description": "OK", "content": {"application/json": body}}},
            "x-kubernetes-action": action,
            GVK: kind,
        }
        if verb == "patch":
            patch = {"schema": _reference(PATCH)}
            operation["requestBody"] = {"content": dict.fromkeys(PATCH_TYPES, patch)}
        elif verb in ("create", "update"):
            operation["requestBody"] = {"content": {"*/*": body}, "required": True}
    return found


def _type_schema(info: TypeInfo) -> JsonObject:
    schema: JsonObject = {"type": "object"}
    if info.fields:
        schema["properties"] = {
            name: _schema(field, always_all_of=True) for name, field in info.fields.items()
        }
    if required := [name for name, field in info.fields.items() if field.required]:
        schema["required"] = required
    if info.map:
        schema["x-kubernetes-map-type"] = info.map
    return schema


def _schema(field: Field, *, always_all_of: bool = False) -> JsonObject:
    """Return the schema of a field or an element."""
    schema: JsonObject = {
        key: value
        for key, value in (
            ("format", field.format),
            ("enum", list(field.enum)),
            ("x-kubernetes-list-map-keys", list(field.keys)),
            ("x-kubernetes-list-type", field.list),
            ("x-kubernetes-map-type", field.map),
            ("x-kubernetes-patch-merge-key", field.merge_key),
            ("x-kubernetes-patch-strategy", ",".join(field.strategy)),
        )
        if value
    }
    if field.default is not msgspec.UNSET:
        schema["default"] = field.default
    if name := _type_of(field):
        reference = _reference(name)
        return schema | ({"allOf": [reference]} if always_all_of or schema else reference)
    if field.items is not None:
        kind = "array" if field.type == "list" else "object"
        inner = "items" if field.type == "list" else "additionalProperties"
        return schema | {"type": kind, inner: _schema(field.items)}
    return schema | {"type": {"bytes": "string", "any": "object"}.get(field.type, field.type)}


def _type_of(field: Field) -> str:
    """Return the name of the type that a field refers to, if any."""
    if field.ref:
        return field.ref
    leaf = _LEAVES.get(field.go if field.type == "any" else field.type)
    return leaf[0] if leaf else ""


def _references(field: Field, found: JsonObject) -> Iterator[str]:
    """Yield the type within a field that is yet to be described; describe those without fields."""
    while field.items is not None:
        field = field.items
    if field.ref:
        yield field.ref
    elif leaf := _LEAVES.get(field.go if field.type == "any" else field.type):
        found[leaf[0]] = leaf[1]


def _reference(name: str) -> JsonObject:
    return {"$ref": f"#/components/schemas/{name}"}


def _api_version(group: str, version: str) -> str:
    return f"{group}/{version}" if group else version


def _kind_name(resource: Resource) -> str:
    return f"{resource.api_version} {resource.kind}"


def _gvk(kind_name: str) -> JsonObject:
    api_version, _, kind = kind_name.partition(" ")
    group, _, version = api_version.rpartition("/")
    return {"group": group, "kind": kind, "version": version}
