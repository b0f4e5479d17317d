"""What field selectors may name, and what is said to those that name something else.

Source: kubernetes v1.36 pkg/apis/*/v1/conversion.go (AddFieldLabelConversionFunc) and
staging/src/k8s.io/apimachinery/pkg/runtime/conversion.go.
"""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.errors import bad_request
from pilotfish.cluster.resources import Resource

_NAME: Final = "metadata.name"
_NAMESPACE: Final = "metadata.namespace"


def check_field_label(resource: Resource, label: str) -> None:
    """Refuse a field that the resource's selectors cannot name.

    Raises:
        StatusError: BadRequest.
    """
    if label == _NAME or any(field.label == label for field in resource.fields):
        return
    if label == _NAMESPACE and (resource.namespaced or not resource.fields):
        return
    raise bad_request(_refusal(resource, label))


def _refusal(resource: Resource, label: str) -> str:
    if not resource.fields:
        return f'"{label}" is not a known field selector: only "{_NAME}", "{_NAMESPACE}"'
    match resource.kind:
        case "Job":
            return f'field label "{label}" not supported for Job'
        case "ResourceSlice":
            kind = f"{resource.api_version}, Kind={resource.kind}"
            return f"field label not supported for {kind}: {label}"
        case _:
            return f"field label not supported: {label}"
