"""NodeMetrics of metrics.k8s.io: what nodes use right now.

Source: k8s.io/metrics v0.36 pkg/apis/metrics/v1beta1/types.go.
"""

from __future__ import annotations

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.quantity import Quantity


class NodeMetrics(KubernetesObject, frozen=True):
    """The usage of the node of the same name; it has no uid."""

    __hash__ = KubernetesObject.__hash__

    usage: dict[str, Quantity] = msgspec.field(default_factory=dict)

    @property
    def amounts(self) -> dict[str, int]:
        """The usage in milli-CPU, bytes or counts, as nodes' other amounts are."""
        return {
            name: used.milli_value() if name == "cpu" else used.value()
            for name, used in self.usage.items()
        }
