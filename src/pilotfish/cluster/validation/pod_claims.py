"""Validation of the claims of devices that a pod names.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, validatePodResourceClaim.
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_invalid,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.names import dns_label, dns_subdomain


def pod_claim_errors(claims: list[JsonObject], path: str) -> Iterator[FieldError]:
    """Give what is wrong with the claims of devices that a pod names."""
    names = set()
    for i, claim in enumerate(claims or ()):
        at, name = f"{path}[{i}]", claim.get("name", "")
        if not name:
            yield field_required(f"{at}.name")
        elif name in names:
            yield field_duplicate(f"{at}.name", name)
        else:
            for problem in dns_label(name):
                yield field_invalid(f"{at}.name", name, problem)
        names.add(name)
        sources = [claim.get(f) for f in ("resourceClaimName", "resourceClaimTemplateName")]
        if sources.count(None) != 1:
            both = None not in sources
            detail = (
                "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified"
                if both
                else "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`"
            )
            shown = {
                "Name": name,
                "ResourceClaimName": sources[0],
                "ResourceClaimTemplateName": sources[1],
            }
            yield field_invalid(at, shown, detail)
        for field in ("resourceClaimName", "resourceClaimTemplateName"):
            for problem in dns_subdomain(claim[field]) if field in claim else ():
                yield field_invalid(f"{at}.{field}", claim[field], problem)
