"""What workloads have in common; Deployments, ReplicaSets, DaemonSets and ReplicationControllers.

Source: kubernetes v1.36 pkg/apis/apps/validation/validation.go,
    pkg/apis/core/validation/validation.go and pkg/registry/apps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

import msgspec

from pilotfish.api.selectors import LabelSelector, int64
from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE
from pilotfish.cluster.validation.int_or_percent import amount_errors, count_errors, number_of
from pilotfish.cluster.validation.metadata import (
    IMMUTABLE,
    annotation_errors,
    label_errors,
    selector_errors,
)
from pilotfish.cluster.validation.pod_spec import pod_spec_errors
from pilotfish.cluster.validation.pod_warnings import pod_warnings
from pilotfish.cluster.validation.status_counts import (
    DAEMON_SET_COUNTS,
    DEPLOYMENT_COUNTS,
    REPLICA_COUNTS,
)

MISMATCH: Final = "`selector` does not match template `labels`"
TEMPLATE_GENERATION: Final = "deprecated.daemonset.template.generation"


class WorkloadStrategy(Strategy):
    """What workloads have in common: a selector, and a template for the pods that it selects."""

    has_generation = True
    label: ClassVar[str]
    """The kind as messages name it."""
    counts: ClassVar[tuple[str, ...]] = ("replicas", "minReadySeconds")
    """Fields of the spec that may not be negative."""
    senseless: ClassVar[str | None] = "invalid label selector"
    """What is said of a selector without sense, for which the template is left unread; or None."""

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a workload."""
        spec = obj["spec"]
        yield from self.count_errors(spec)
        yield from self.selector_errors(spec)
        yield from self.template_errors(spec)
        yield from self.strategy_errors(spec)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: the selector stays."""
        yield from self.validate(new)
        yield from selector_change_errors(new, old)

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what is odd about the template of a new workload."""
        yield from template_warnings(obj)

    def update_warnings(self, new: JsonObject, old: JsonObject) -> Iterator[str]:
        """Yield what is odd about the template, when something changes."""
        if new["metadata"].get("generation") != old["metadata"].get("generation"):
            yield from template_warnings(new)

    def count_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield which counts are negative."""
        for field in self.counts:
            if spec.get(field, 0) < 0:
                yield field_invalid(f"spec.{field}", spec[field], NOT_NEGATIVE)

    def selector_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the selector."""
        selector = spec.get("selector")
        if selector is None:
            yield field_required("spec.selector")
            return
        yield from selector_errors(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            detail = f"empty selector is invalid for {self.label}"
            yield field_invalid("spec.selector", selector, detail)

    def selects(self, selector: JsonObject | None, labels: dict[str, str]) -> bool | None:
        """Say whether a selector selects the labels, as none does; None where it has no sense."""
        if selector is None:
            return False
        if next(selector_errors(selector, ""), None) is not None:
            return None
        return msgspec.convert(selector, LabelSelector).matches(labels)

    def template_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the template."""
        template = spec.get("template") or {}
        labels = (template.get("metadata") or {}).get("labels")
        selects = self.selects(spec.get("selector"), labels or {})
        if selects is None and self.senseless is not None:
            yield field_invalid("spec.selector", spec["selector"], self.senseless)
            return
        if selects is False:
            yield field_invalid("spec.template.metadata.labels", labels, MISMATCH)
        yield from template_errors(template, "spec.template")
        pod = template.get("spec") or {}
        if (policy := pod.get("restartPolicy")) != "Always":
            yield field_not_supported("spec.template.spec.restartPolicy", policy, ("Always",))
        if "activeDeadlineSeconds" in pod:
            kind = self.resource.kind.replace("Deployment", "ReplicaSet")
            yield field_forbidden(
                "spec.template.spec.activeDeadlineSeconds",
                f"activeDeadlineSeconds in {kind} is not Supported",
            )

    def strategy_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with how pods are replaced."""
        del spec
        yield from ()


class DeploymentStrategy(WorkloadStrategy):
    """The rules of Deployments."""

    label = "deployment"
    counts = (*WorkloadStrategy.counts, "revisionHistoryLimit", "progressDeadlineSeconds")
    status_counts = DEPLOYMENT_COUNTS

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Count changes of annotations too, since they are copied to ReplicaSets."""
        super().prepare_for_update(new, old, now)
        metadata, known = new["metadata"], old["metadata"]
        if (metadata.get("annotations") or {}) != (known.get("annotations") or {}):
            metadata["generation"] = known.get("generation", 0) + 1

    def strategy_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the strategy and the deadline."""
        strategy: JsonObject = spec.get("strategy") or {}
        rolling, path = strategy.get("rollingUpdate"), "spec.strategy.rollingUpdate"
        match strategy.get("type"):
            case "Recreate" if rolling is not None:
                detail = "may not be specified when strategy `type` is 'Recreate'"
                yield field_forbidden(path, detail)
            case "RollingUpdate" if rolling is not None:
                yield from _rolling_errors(rolling, path)
            case "Recreate" | "RollingUpdate":
                pass
            case _:
                supported = ("Recreate", "RollingUpdate")
                yield field_not_supported("spec.strategy", internal(strategy), supported)
        deadline = spec.get("progressDeadlineSeconds")
        if deadline is not None and deadline <= spec.get("minReadySeconds", 0):
            detail = "must be greater than minReadySeconds"
            yield field_invalid("spec.progressDeadlineSeconds", deadline, detail)


class ReplicaSetStrategy(WorkloadStrategy):
    """The rules of ReplicaSets."""

    label = "deployment"  # as upstream says it
    status_counts = REPLICA_COUNTS

    def initial_status(self) -> JsonObject:
        """Begin without replicas."""
        return {"replicas": 0}


class DaemonSetStrategy(WorkloadStrategy):
    """The rules of DaemonSets, whose template's generation is told by an annotation."""

    label = "daemonset"
    senseless = None
    status_counts = DAEMON_SET_COUNTS
    counts = ("minReadySeconds", "revisionHistoryLimit")

    def initial_status(self) -> JsonObject:
        """Begin without pods."""
        return {
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        }

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Begin with the first template."""
        super().prepare_for_create(obj, now)
        _set_template_generation(obj, 1)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Count the changes of the template."""
        super().prepare_for_update(new, old, now)
        told = (old["metadata"].get("annotations") or {}).get(TEMPLATE_GENERATION, "")
        changed = new["spec"].get("template") != old["spec"].get("template")
        _set_template_generation(new, (int64(told) or 0) + changed)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update, first of all a change of the selector."""
        yield from selector_change_errors(new, old)
        yield from self.validate(new)

    def selector_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the selector; that there is none is not said."""
        if spec.get("selector") is not None:
            yield from super().selector_errors(spec)

    def strategy_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with how pods are replaced."""
        strategy = spec.get("updateStrategy") or {}
        rolling, path = strategy.get("rollingUpdate"), "spec.updateStrategy.rollingUpdate"
        if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
            supported = ("RollingUpdate", "OnDelete")
            yield field_not_supported("spec.updateStrategy", internal(strategy), supported)
        elif strategy["type"] == "RollingUpdate" and rolling is not None:
            unavailable, surge = rolling.get("maxUnavailable", 1), rolling.get("maxSurge", 0)
            yield from count_errors(unavailable, f"{path}.maxUnavailable")
            yield from count_errors(surge, f"{path}.maxSurge")
            if not number_of(unavailable) and not number_of(surge):
                detail = "cannot be 0 when maxSurge is 0"
                yield field_required(f"{path}.maxUnavailable", detail)
            if number_of(unavailable) and number_of(surge):
                detail = "may not be set when maxUnavailable is non-zero"
                yield field_invalid(f"{path}.maxSurge", surge, detail)


class ReplicationControllerStrategy(WorkloadStrategy):
    """The rules of ReplicationControllers, whose selectors are plain labels."""

    label = "replicationcontroller"
    status_counts = REPLICA_COUNTS
    orphans_by_default = True

    def initial_status(self) -> JsonObject:
        """Begin without replicas."""
        return {"replicas": 0}

    def selector_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the selector."""
        if not spec.get("selector"):
            yield field_required("spec.selector")

    def template_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the template."""
        if spec.get("template") is None:
            yield field_required("spec.template")
            return
        yield from super().template_errors(spec)

    def selects(self, selector: JsonObject | None, labels: dict[str, str]) -> bool | None:
        """Say whether plain labels select these."""
        return (selector or {}).items() <= labels.items()

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update; even the selector may change."""
        del old
        yield from self.validate(new)


def selector_change_errors(new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
    """Give that a selector changed, which it may not."""
    selector = new["spec"].get("selector")
    if selector != old["spec"].get("selector"):
        yield field_invalid("spec.selector", selector, IMMUTABLE)


def internal(strategy: JsonObject) -> JsonObject:
    """Give a strategy as upstream's messages show it: by the names of its internal type."""
    return {"Type": strategy.get("type", ""), "RollingUpdate": strategy.get("rollingUpdate")}


def template_errors(template: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a template of pods."""
    metadata: JsonObject = template.get("metadata") or {}
    yield from label_errors(metadata.get("labels"), f"{path}.labels")
    yield from annotation_errors(metadata.get("annotations"), f"{path}.annotations")
    spec: JsonObject = template.get("spec") or {}
    yield from pod_spec_errors(spec, f"{path}.spec", is_pod=False)
    if spec.get("ephemeralContainers"):
        detail = "ephemeral containers not allowed in pod template"
        yield field_forbidden(f"{path}.spec.ephemeralContainers", detail)


def template_warnings(workload: JsonObject) -> Iterator[str]:
    """Give what is odd about a workload's template of pods."""
    template = workload["spec"].get("template") or {}
    yield from pod_warnings(template.get("spec") or {}, "spec.template.spec")


def _rolling_errors(rolling: JsonObject, path: str) -> Iterator[FieldError]:
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    yield from amount_errors(unavailable, f"{path}.maxUnavailable")
    yield from amount_errors(surge, f"{path}.maxSurge")
    if not number_of(unavailable) and not number_of(surge):
        detail = "may not be 0 when `maxSurge` is 0"
        yield field_invalid(f"{path}.maxUnavailable", unavailable, detail)
    known = set(amount_errors(unavailable, f"{path}.maxUnavailable"))
    for error in count_errors(unavailable, f"{path}.maxUnavailable"):
        if error not in known:
            yield error


def _set_template_generation(obj: JsonObject, generation: int) -> None:
    metadata = obj["metadata"]
    annotations = metadata.get("annotations") or {}
    metadata["annotations"] = annotations | {TEMPLATE_GENERATION: str(generation)}
    obj["spec"].pop("templateGeneration", None)
