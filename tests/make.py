"""Makers of Kubernetes objects for tests: those for authors of policies, and what only we need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from pilotfish.api.codec import dec_hook
from pilotfish.api.workloads import PodDisruptionBudget
from pilotfish.testing.makers import HOSTNAME_LABEL, ZONE_LABEL, node, pod, taint, toleration

__all__ = ["HOSTNAME_LABEL", "ZONE_LABEL", "budget", "node", "pod", "taint", "toleration"]


def budget(
    name: str, *, allowed: int, labels: Mapping[str, str] | None, disrupted: Iterable[str] = ()
) -> PodDisruptionBudget:
    """Make a disruption budget in the default namespace; without labels it has no selector."""
    content = {
        "metadata": {"name": name, "namespace": "default", "uid": f"uid-{name}"},
        "spec": {} if labels is None else {"selector": {"matchLabels": dict(labels)}},
        "status": {
            "disruptionsAllowed": allowed,
            "disruptedPods": dict.fromkeys(disrupted, "2026-01-01T00:00:00Z"),
        },
    }
    return msgspec.convert(content, PodDisruptionBudget, dec_hook=dec_hook)
