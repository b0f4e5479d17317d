"""Derive the schema table of the embedded cluster from the real API server.

python hack/derive_schema.py [--check]

Facts only: names, types, list types, merge keys, defaults, enums and what is required come from the
OpenAPI documents that kube-apiserver serves; which fields are left out when empty, and what error
messages call a type, from the public Go types (derive_schema.go, which needs Go). To serve another
kind: add it to KINDS, run this, and declare it in pilotfish.cluster.resources.
"""

import argparse
import gzip
import json
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from controlplane import ControlPlane
from controlplane.api import Api

HERE = Path(__file__).resolve().parent
TABLE = HERE.parent / "src/pilotfish/cluster/schema/table.json.gz"

KINDS = {
    "v1": (
        "Binding ConfigMap Event Namespace Node PersistentVolume PersistentVolumeClaim Pod"
        " ReplicationController Secret Service ServiceAccount DeleteOptions"
    ),
    "apps/v1": "ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet",
    "authentication.k8s.io/v1": "SelfSubjectReview TokenRequest TokenReview",
    "authorization.k8s.io/v1": (
        "LocalSubjectAccessReview SelfSubjectAccessReview SelfSubjectRulesReview"
        " SubjectAccessReview"
    ),
    "autoscaling/v1": "Scale",
    "batch/v1": "Job",
    "coordination.k8s.io/v1": "Lease",
    "events.k8s.io/v1": "Event",
    "node.k8s.io/v1": "RuntimeClass",
    "policy/v1": "Eviction PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1": "ClusterRole ClusterRoleBinding Role RoleBinding",
    "resource.k8s.io/v1": "DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice",
    "scheduling.k8s.io/v1": "PriorityClass",
    "storage.k8s.io/v1": "CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment",
}
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
LEAVES = {  # types that write their own JSON
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
    META + "Time": "time",
    META + "MicroTime": "micro-time",
    META + "FieldsV1": "any",
    "io.k8s.apimachinery.pkg.runtime.RawExtension": "any",
}
STRUCTS = {"object", "quantity", "int-or-string", "time", "micro-time", "any"}
KEPT = {  # by OpenAPI's name
    "default": "default",
    "enum": "enum",
    "format": "format",
    "x-kubernetes-list-map-keys": "keys",
    "x-kubernetes-list-type": "list",
    "x-kubernetes-map-type": "map",
    "x-kubernetes-patch-merge-key": "merge_key",
}
STRATEGY = "x-kubernetes-patch-strategy"
KIND = "x-kubernetes-group-version-kind"

Json = dict[str, Any]


def derive(api: Api) -> Json:
    """Ask a running API server, and the Go types of its version, and return the table."""
    schemas: Json = {}
    for version in KINDS:
        path = f"apis/{version}" if "/" in version else f"api/{version}"
        schemas |= api.get(f"/openapi/v3/{path}")["components"]["schemas"]
    kinds = dict(_kinds(schemas))
    wire = _wire_facts()
    types: Json = {}
    wanted = sorted(kinds.values())
    while wanted:
        name = wanted.pop()
        if name not in types:
            types[name] = _type(name, schemas[name], wire[name])
            wanted += _references(types[name])
    return {
        "version": api.get("/version")["gitVersion"],
        "kinds": kinds,
        "types": dict(sorted(types.items())),
    }


def encode(table: Json) -> bytes:
    """Return the bytes of the file: the same table gives the same bytes."""
    return gzip.compress(_json(table), 9, mtime=0)


def _kinds(schemas: Json) -> Iterator[tuple[str, str]]:
    """Yield `apiVersion kind` and the name of its type."""
    by_kind = {
        (f"{known['group']}/{known['version']}".lstrip("/"), known["kind"]): name
        for name, schema in sorted(schemas.items())
        for known in schema.get(KIND, ())
    }
    for version, kinds in KINDS.items():
        for kind in kinds.split():
            yield f"{version} {kind}", by_kind[version, kind]


def _wire_facts() -> Json:
    lines = [f"{version} {kind}\n" for version, kinds in KINDS.items() for kind in kinds.split()]
    done = subprocess.run(
        ["go", "run", "-mod=readonly", "../derive_schema.go"],
        cwd=HERE / "controlplane",
        input="".join(lines),
        capture_output=True,
        text=True,
        check=True,
    )
    facts: Json = json.loads(done.stdout)
    return facts


def _type(name: str, schema: Json, wire: Json) -> Json:
    properties = schema.get("properties", {})
    if odd := properties.keys() ^ wire.keys():
        raise SystemExit(f"{name}: the OpenAPI document and the Go type differ in {sorted(odd)}")
    required = schema.get("required", ())
    fields = {
        field: _field(properties[field], wire[field], required=field in required)
        for field in sorted(properties)
    }
    atomic = {"map": schema["x-kubernetes-map-type"]} if "x-kubernetes-map-type" in schema else {}
    return {"fields": fields, **atomic}


def _field(schema: Json, wire: Json, *, required: bool) -> Json:
    found = _shape(schema) | {"go": wire["go"].removeprefix("*")}
    if required:
        found["required"] = True
    if wire["embedded"]:
        found["embedded"] = wire["embedded"]
    if wire["omit"] == "zero":
        found["empty"] = "drop"
    elif wire["omit"] == "" or (found["type"] in STRUCTS and not wire["nilable"]):
        found["empty"] = "fill-null" if wire["nilable"] else "fill"
    else:
        found["empty"] = "keep" if wire["nilable"] else "drop"
    return found


def _shape(schema: Json) -> Json:
    """Return what an OpenAPI schema of a field or an element says, without its prose."""
    found = {ours: schema[theirs] for theirs, ours in KEPT.items() if theirs in schema}
    if STRATEGY in schema:
        found["strategy"] = schema[STRATEGY].split(",")
    schemas = schema.get("allOf", [schema])
    if reference := schemas[0].get("$ref"):
        name = reference.rpartition("/")[2]
        leaf = LEAVES.get(name)
        return found | ({"type": leaf} if leaf else {"type": "object", "ref": name})
    if "items" in schema:
        return found | {"type": "list", "items": _shape(schema["items"])}
    if "additionalProperties" in schema:
        return found | {"type": "map", "items": _shape(schema["additionalProperties"])}
    kind = "bytes" if schema.get("format") == "byte" else schema["type"]
    return found | {"type": "any" if kind == "object" else kind}


def _references(found: Json) -> Iterator[str]:
    for field in found["fields"].values():
        inner = field
        while "items" in inner:
            inner = inner["items"]
        if "ref" in inner:
            yield inner["ref"]


def _json(table: Json) -> bytes:
    return json.dumps(table, separators=(",", ":"), sort_keys=True).encode()


def main() -> int:
    """Write the table; with --check only say whether it is up to date."""
    parser = argparse.ArgumentParser(description="Derive the schema table of the embedded cluster.")
    parser.add_argument("--check", action="store_true", help="fail when the table is out of date")
    options = parser.parse_args()
    with ControlPlane(controller_manager=False, kwok=False, audit=False) as cp:
        table = derive(cp.api)
    if options.check:
        current = TABLE.exists() and zlib.decompress(TABLE.read_bytes(), 31) == _json(table)
        print(f"{TABLE.name} is {'up to date' if current else 'out of date'}")
        return 0 if current else 1
    TABLE.write_bytes(encode(table))
    print(f"{TABLE}: {len(table['types'])} types, {TABLE.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
