"""Defaults of deployments, replica sets, stateful sets, daemon sets and jobs.

Source: kubernetes v1.36 pkg/apis/{apps,batch}/v1/defaults.go, apps/v1/conversion.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

JsonObject = dict[str, Any]

APPS: Final = "io.k8s.api.apps.v1."
BATCH: Final = "io.k8s.api.batch.v1."
ROLLING_UPDATE: Final = "RollingUpdate"
MAX_INT32: Final = (1 << 31) - 1


def _deployment(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("replicas", 1)
    strategy = spec["strategy"]
    if strategy.setdefault("type", ROLLING_UPDATE) == ROLLING_UPDATE:
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", "25%")
        rolling.setdefault("maxSurge", "25%")
    spec.setdefault("revisionHistoryLimit", 10)
    spec.setdefault("progressDeadlineSeconds", 600)


def _replica_set(obj: JsonObject) -> None:
    obj["spec"].setdefault("replicas", 1)


def _daemon_set(obj: JsonObject) -> None:
    spec = obj["spec"]
    strategy = spec["updateStrategy"]
    if strategy.setdefault("type", ROLLING_UPDATE) == ROLLING_UPDATE:
        rolling = strategy.setdefault("rollingUpdate", {})
        rolling.setdefault("maxUnavailable", 1)
        rolling.setdefault("maxSurge", 0)
    spec.setdefault("revisionHistoryLimit", 10)


def _stateful_set(obj: JsonObject) -> None:
    spec = obj["spec"]
    spec.setdefault("podManagementPolicy", "OrderedReady")
    strategy = spec["updateStrategy"]
    if "type" not in strategy:
        strategy["type"] = ROLLING_UPDATE
        strategy.setdefault("rollingUpdate", {})
    if (
        strategy["type"] == ROLLING_UPDATE
        and (rolling := strategy.get("rollingUpdate")) is not None
    ):
        rolling.setdefault("partition", 0)
    retention = spec.setdefault("persistentVolumeClaimRetentionPolicy", {})
    retention.setdefault("whenDeleted", "Retain")
    retention.setdefault("whenScaled", "Retain")
    for claim in spec.get("volumeClaimTemplates", ()):
        claim.setdefault("apiVersion", "v1")
        claim.setdefault("kind", "PersistentVolumeClaim")
    spec.setdefault("replicas", 1)
    spec.setdefault("revisionHistoryLimit", 10)


def _job(obj: JsonObject) -> None:
    spec = obj["spec"]
    if "parallelism" not in spec:
        spec.setdefault("completions", 1)
        spec["parallelism"] = 1
    spec.setdefault("backoffLimit", MAX_INT32 if "backoffLimitPerIndex" in spec else 6)
    spec.setdefault("completionMode", "NonIndexed")
    spec.setdefault("suspend", False)
    policy = "Failed" if "podFailurePolicy" in spec else "TerminatingOrFailed"
    spec.setdefault("podReplacementPolicy", policy)
    spec.setdefault("manualSelector", False)


def _failure_pattern(pattern: JsonObject) -> None:
    if not pattern.get("status"):
        pattern["status"] = "True"


RULES: Final[dict[str, Callable[[JsonObject], None]]] = {
    APPS + "DaemonSet": _daemon_set,
    APPS + "Deployment": _deployment,
    APPS + "ReplicaSet": _replica_set,
    APPS + "StatefulSet": _stateful_set,
    BATCH + "Job": _job,
    BATCH + "PodFailurePolicyOnPodConditionsPattern": _failure_pattern,
}
