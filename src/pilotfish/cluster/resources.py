"""The kinds that the cluster serves, at their real group versions.

A further kind is one entry of `RESOURCES`, in its group: that alone stores, lists, watches and
discovers it. A group's place decides the order of discovery.

Source: the discovery documents of kube-apiserver v1.36.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

CREATE_ONLY: Final = ("create",)  # asked and answered, never stored
READ_ONLY: Final = ("get", "list")  # computed when read
WITHOUT_COLLECTION: Final = ("create", "delete", "get", "list", "patch", "update", "watch")
EVERY_VERB: Final = (
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
)


class SelectableField(msgspec.Struct, frozen=True):
    """What a field selector may name besides metadata.name and metadata.namespace.

    Attributes:
        label: the name in selectors.
        paths: where the value is: the first of them that is there and not empty.
        default: the value where none is.
    """

    label: str
    paths: tuple[tuple[str, ...], ...]
    default: str = ""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """One kind as the API serves it.

    Attributes:
        storage: under what name objects are stored, shared by kinds that are two views of the same
            objects; empty for those that are not stored.
        fields: what field selectors may name.
    """

    group: str
    version: str
    kind: str
    plural: str
    singular: str
    namespaced: bool
    short_names: tuple[str, ...]
    categories: tuple[str, ...]
    verbs: tuple[str, ...]
    subresources: tuple[str, ...]
    storage: str
    fields: tuple[SelectableField, ...]

    @property
    def api_version(self) -> str:
        """Return `v1`, `apps/v1`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def list_kind(self) -> str:
        """Return `PodList`."""
        return f"{self.kind}List"

    @property
    def qualified(self) -> str:
        """Return `pods`, `deployments.apps`."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


class ResourceTable:
    """Resources by the ways in which they are named.

    Attributes:
        selectable_fields: by storage, what the store keeps for field selectors, each value once;
            what views of a storage call by names of their own has that of the first.
    """

    def __init__(self, resources: Iterable[Resource]) -> None:
        self._all = tuple(resources)
        self._by_path = {(r.group, r.version, r.plural): r for r in self._all}
        self._by_kind = {(r.api_version, r.kind): r for r in self._all}
        self.selectable_fields = _selectable_fields(self._all)

    def __iter__(self) -> Iterator[Resource]:
        """Iterate in the order of discovery."""
        return iter(self._all)

    def get(self, group: str, version: str, plural: str) -> Resource | None:
        """Return the resource at a path."""
        return self._by_path.get((group, version, plural))

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """Return the resource of an object that says what it is."""
        return self._by_kind.get((api_version, kind))

    def served(self, api_version: str, kind: str) -> Resource:
        """Return the resource of a kind that the code relies on.

        Raises:
            LookupError: it is not served.
        """
        if (found := self.of_kind(api_version, kind)) is None:
            raise LookupError(f"{api_version} {kind} is not served; add it to RESOURCES")
        return found

    def group_versions(self) -> tuple[tuple[str, str], ...]:
        """Return (group, version) in the order of discovery; core has the empty group."""
        return tuple(dict.fromkeys((r.group, r.version) for r in self._all))

    def in_version(self, group: str, version: str) -> tuple[Resource, ...]:
        """Return the resources of one group version, by name."""
        found = (r for r in self._all if (r.group, r.version) == (group, version))
        return tuple(sorted(found, key=lambda r: r.plural))

    def column(self, resource: Resource, label: str) -> int:
        """Return where `Stored.selectable` has what a resource's field selectors call so.

        Raises:
            LookupError: they have no such field.
        """
        paths = next((field.paths for field in resource.fields if field.label == label), None)
        if paths is None:
            raise LookupError(f"{resource.qualified} cannot be selected by {label}")
        return [field.paths for field in self.selectable_fields[resource.storage]].index(paths)


def _selectable_fields(resources: Iterable[Resource]) -> dict[str, tuple[SelectableField, ...]]:
    found: dict[str, dict[tuple[tuple[str, ...], ...], SelectableField]] = {}
    for each in resources:
        for one in each.fields if each.storage else ():
            found.setdefault(each.storage, {}).setdefault(one.paths, one)
    return {storage: tuple(fields.values()) for storage, fields in found.items()}


def field(label: str, *paths: str, default: str = "") -> SelectableField:
    """Declare a selectable field; without paths it is where its label says."""
    return SelectableField(label, tuple(tuple(p.split(".")) for p in paths or (label,)), default)


def resource(
    api_version: str,
    kind: str,
    plural: str,
    *short_names: str,
    namespaced: bool = True,
    categories: tuple[str, ...] = (),
    verbs: tuple[str, ...] = EVERY_VERB,
    subresources: tuple[str, ...] = (),
    fields: tuple[SelectableField, ...] = (),
    storage: str | None = None,
    singular: str | None = None,
) -> Resource:
    """Declare a resource; what is left out is what most resources have."""
    group, _, version = api_version.rpartition("/")
    name = f"{plural}.{group}" if group else plural
    return Resource(
        group=group,
        version=version,
        kind=kind,
        plural=plural,
        singular=kind.lower() if singular is None else singular,
        namespaced=namespaced,
        short_names=short_names,
        categories=categories,
        verbs=verbs,
        subresources=subresources,
        storage=storage if storage is not None else name if "watch" in verbs else "",
        fields=fields,
    )


_ALL = ("all",)
_STATUS = ("status",)
_SCALABLE = ("scale", "status")
_SUBJECTS = ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
_CORE_EVENT_FIELDS = (
    *(field(f"involvedObject.{part}") for part in _SUBJECTS),
    field("reason"),
    field("reportingComponent"),
    field("source", "source.component", "reportingComponent"),
    field("type"),
)
_EVENT_FIELDS = (
    *(field(f"regarding.{part}", f"involvedObject.{part}") for part in _SUBJECTS),
    field("reason"),
    field("reportingController", "reportingComponent"),
    field("type"),
)
_POD_FIELDS = (
    field("spec.nodeName"),
    field("spec.restartPolicy"),
    field("spec.schedulerName"),
    field("spec.serviceAccountName"),
    field("spec.hostNetwork", default="false"),
    field("status.phase"),
    field("status.podIP"),
    field("status.nominatedNodeName"),
)
_CORE = (
    resource("v1", "Binding", "bindings", verbs=CREATE_ONLY),
    resource("v1", "ConfigMap", "configmaps", "cm"),
    resource("v1", "Event", "events", "ev", fields=_CORE_EVENT_FIELDS),
    resource(
        "v1",
        "Namespace",
        "namespaces",
        "ns",
        namespaced=False,
        verbs=WITHOUT_COLLECTION,
        subresources=("finalize", "status"),
        fields=(field("status.phase"),),
    ),
    resource(
        "v1",
        "Node",
        "nodes",
        "no",
        namespaced=False,
        subresources=_STATUS,
        fields=(field("spec.unschedulable", default="false"),),
    ),
    resource("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "pvc", subresources=_STATUS),
    resource(
        "v1", "PersistentVolume", "persistentvolumes", "pv", namespaced=False, subresources=_STATUS
    ),
    resource(
        "v1",
        "Pod",
        "pods",
        "po",
        categories=_ALL,
        subresources=("binding", "eviction", "log", "status"),
        fields=_POD_FIELDS,
    ),
    resource(
        "v1",
        "ReplicationController",
        "replicationcontrollers",
        "rc",
        categories=_ALL,
        subresources=_SCALABLE,
        fields=(field("status.replicas", default="0"),),
    ),
    resource("v1", "Secret", "secrets", fields=(field("type"),)),
    resource("v1", "ServiceAccount", "serviceaccounts", "sa", subresources=("token",)),
    resource(
        "v1",
        "Service",
        "services",
        "svc",
        categories=_ALL,
        subresources=_STATUS,
        fields=(field("spec.clusterIP"), field("spec.type")),
    ),
)
_APPS = (
    resource("apps/v1", "ControllerRevision", "controllerrevisions"),
    resource("apps/v1", "DaemonSet", "daemonsets", "ds", categories=_ALL, subresources=_STATUS),
    resource(
        "apps/v1", "Deployment", "deployments", "deploy", categories=_ALL, subresources=_SCALABLE
    ),
    resource(
        "apps/v1",
        "ReplicaSet",
        "replicasets",
        "rs",
        categories=_ALL,
        subresources=_SCALABLE,
    ),
    resource(
        "apps/v1", "StatefulSet", "statefulsets", "sts", categories=_ALL, subresources=_SCALABLE
    ),
)
_BATCH = (
    resource(
        "batch/v1",
        "Job",
        "jobs",
        categories=_ALL,
        subresources=_STATUS,
        fields=(field("status.successful", "status.succeeded", default="0"),),
    ),
)
_AUTH = (
    *(
        resource("authentication.k8s.io/v1", kind, plural, namespaced=False, verbs=CREATE_ONLY)
        for kind, plural in (
            ("SelfSubjectReview", "selfsubjectreviews"),
            ("TokenReview", "tokenreviews"),
        )
    ),
    *(
        resource("authorization.k8s.io/v1", kind, plural, namespaced=namespaced, verbs=CREATE_ONLY)
        for kind, plural, namespaced in (
            ("LocalSubjectAccessReview", "localsubjectaccessreviews", True),
            ("SelfSubjectAccessReview", "selfsubjectaccessreviews", False),
            ("SelfSubjectRulesReview", "selfsubjectrulesreviews", False),
            ("SubjectAccessReview", "subjectaccessreviews", False),
        )
    ),
)
_RBAC = tuple(
    resource("rbac.authorization.k8s.io/v1", kind, plural, namespaced=namespaced)
    for kind, plural, namespaced in (
        ("ClusterRoleBinding", "clusterrolebindings", False),
        ("ClusterRole", "clusterroles", False),
        ("RoleBinding", "rolebindings", True),
        ("Role", "roles", True),
    )
)
_STORAGE = (
    resource("storage.k8s.io/v1", "CSIDriver", "csidrivers", namespaced=False),
    resource("storage.k8s.io/v1", "CSINode", "csinodes", namespaced=False),
    resource("storage.k8s.io/v1", "CSIStorageCapacity", "csistoragecapacities"),
    resource("storage.k8s.io/v1", "StorageClass", "storageclasses", "sc", namespaced=False),
    resource(
        "storage.k8s.io/v1",
        "VolumeAttachment",
        "volumeattachments",
        namespaced=False,
        subresources=_STATUS,
    ),
)
_DEVICES = (
    resource("resource.k8s.io/v1", "DeviceClass", "deviceclasses", namespaced=False),
    resource("resource.k8s.io/v1", "ResourceClaim", "resourceclaims", subresources=_STATUS),
    resource("resource.k8s.io/v1", "ResourceClaimTemplate", "resourceclaimtemplates"),
    resource(
        "resource.k8s.io/v1",
        "ResourceSlice",
        "resourceslices",
        namespaced=False,
        fields=(field("spec.nodeName"), field("spec.driver")),
    ),
)
_METRICS = (
    resource(
        "metrics.k8s.io/v1beta1",
        "NodeMetrics",
        "nodes",
        namespaced=False,
        verbs=READ_ONLY,
        singular="",
    ),
    resource("metrics.k8s.io/v1beta1", "PodMetrics", "pods", verbs=READ_ONLY, singular=""),
)

RESOURCES: Final[tuple[Resource, ...]] = (
    *_CORE,
    *_APPS,
    resource("events.k8s.io/v1", "Event", "events", "ev", fields=_EVENT_FIELDS, storage="events"),
    *_AUTH,
    *_BATCH,
    resource(
        "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", "pdb", subresources=_STATUS
    ),
    *_RBAC,
    *_STORAGE,
    resource("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", "pc", namespaced=False),
    resource("coordination.k8s.io/v1", "Lease", "leases"),
    resource("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", namespaced=False),
    *_DEVICES,
    *_METRICS,
)
TABLE: Final = ResourceTable(RESOURCES)
