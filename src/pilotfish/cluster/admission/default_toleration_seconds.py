"""DefaultTolerationSeconds: pods stay five minutes on a node that is not ready or unreachable."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.admission.plugin import Review
from pilotfish.cluster.objects import JsonObject

SECONDS: Final = 300
TAINTS: Final = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")


class DefaultTolerationSeconds:
    """Adds tolerations for the taints of failing nodes, unless the pod has its own.

    Source: kubernetes v1.36 plugin/pkg/admission/defaulttolerationseconds/admission.go.
    """

    def admit(self, review: Review) -> None:
        """Let a write pass, with tolerations."""
        if review.resource.kind != "Pod" or review.subresource or review.new is None:
            return
        spec = review.new["spec"]
        tolerations: list[JsonObject] = spec.get("tolerations") or []
        added = [_toleration(key) for key in TAINTS if not _tolerates(tolerations, key)]
        if added:
            spec["tolerations"] = [*tolerations, *added]


def _tolerates(tolerations: list[JsonObject], key: str) -> bool:
    return any(
        toleration.get("key", "") in ("", key) and toleration.get("effect", "") in ("", "NoExecute")
        for toleration in tolerations
    )


def _toleration(key: str) -> JsonObject:
    return {
        "key": key,
        "operator": "Exists",
        "effect": "NoExecute",
        "tolerationSeconds": SECONDS,
    }
