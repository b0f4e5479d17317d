"""Whether an object is the one that a request means; a delete and the storage say it differently.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go and
    pkg/storage/interfaces.go (Preconditions.Check).
"""

from __future__ import annotations

from pilotfish.cluster.errors import GroupResource, conflict
from pilotfish.cluster.objects import Stored
from pilotfish.cluster.requests import Options
from pilotfish.cluster.resources import Resource


def check_preconditions(resource: Resource, options: Options, stored: Stored) -> None:
    """See that the object is the one that the options of a delete mean.

    Raises:
        StatusError: 409.
    """
    kind = GroupResource(resource.group, resource.kind)
    uid, version = options.precondition_uid, options.precondition_resource_version
    if uid is not None and uid != stored.uid:
        raise conflict(
            kind,
            stored.name,
            f"the UID in the precondition ({uid}) does not match the UID in record "
            f"({stored.uid}). The object might have been deleted and then recreated",
        )
    if version is not None and version != str(stored.resource_version):
        raise conflict(
            kind,
            stored.name,
            f"the ResourceVersion in the precondition ({version}) does not match the "
            f"ResourceVersion in record ({stored.resource_version}). "
            "The object might have been modified",
        )


def check_identity(
    resource: Resource, stored: Stored, *, uid: str | None, resource_version: str | None = None
) -> None:
    """See that the object is the one that a body means, as upstream's storage does.

    Args:
        resource: what is at rest.
        stored: the object.
        uid: what the body says; nothing is any.
        resource_version: likewise.

    Raises:
        StatusError: 409.
    """
    for what, wanted, actual in (
        ("UID", uid, stored.uid),
        ("ResourceVersion", resource_version, str(stored.resource_version)),
    ):
        if wanted and wanted != actual:
            raise conflict(
                resource,
                stored.name,
                "StorageError: invalid object, Code: 4, Key: "
                f"/registry/{resource.plural}/{stored.key}, ResourceVersion: 0, "
                "AdditionalErrorMsg: Precondition failed: "
                f"{what} in precondition: {wanted}, {what} in object meta: {actual}",
            )
