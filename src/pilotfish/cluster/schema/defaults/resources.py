"""Defaults of roles' bindings, priorities, storage, device claims and token requests.

Source: kubernetes v1.36 pkg/apis/{rbac,scheduling,storage,resource,authentication}/v1/defaults.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

JsonObject = dict[str, Any]

API: Final = "io.k8s.api."
RBAC_GROUP: Final = "rbac.authorization.k8s.io"
TOKEN_SECONDS: Final = 3600


def _role_binding(obj: JsonObject) -> None:
    reference = obj["roleRef"]
    reference["apiGroup"] = reference.get("apiGroup") or RBAC_GROUP


def _subject(subject: JsonObject) -> None:
    if subject.get("kind") in ("User", "Group"):
        subject.setdefault("apiGroup", RBAC_GROUP)


def _priority_class(obj: JsonObject) -> None:
    obj.setdefault("preemptionPolicy", "PreemptLowerPriority")


def _storage_class(obj: JsonObject) -> None:
    obj.setdefault("reclaimPolicy", "Delete")
    obj.setdefault("volumeBindingMode", "Immediate")


def _csi_driver(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("attachRequired", True)
    spec.setdefault("podInfoOnMount", False)
    spec.setdefault("storageCapacity", False)
    spec.setdefault("fsGroupPolicy", "ReadWriteOnceWithFSType")
    spec.setdefault("volumeLifecycleModes", ["Persistent"])
    spec.setdefault("requiresRepublish", False)
    spec.setdefault("seLinuxMount", False)


def _device_request(request: JsonObject) -> None:
    if request.setdefault("allocationMode", "ExactCount") == "ExactCount":
        request.setdefault("count", 1)


def _token_request_spec(spec: JsonObject) -> None:
    spec.setdefault("expirationSeconds", TOKEN_SECONDS)


RULES: Final[dict[str, Callable[[JsonObject], None]]] = {
    API + "authentication.v1.TokenRequestSpec": _token_request_spec,
    API + "rbac.v1.ClusterRoleBinding": _role_binding,
    API + "rbac.v1.RoleBinding": _role_binding,
    API + "rbac.v1.Subject": _subject,
    API + "resource.v1.DeviceSubRequest": _device_request,
    API + "resource.v1.ExactDeviceRequest": _device_request,
    API + "scheduling.v1.PriorityClass": _priority_class,
    API + "storage.v1.CSIDriver": _csi_driver,
    API + "storage.v1.StorageClass": _storage_class,
}
