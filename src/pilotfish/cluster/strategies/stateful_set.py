"""StatefulSets.

Source: kubernetes v1.36 pkg/apis/apps/validation/validation.go, pkg/registry/apps/statefulset.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.workloads import WorkloadStrategy, internal
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE
from pilotfish.cluster.validation.claims import claim_spec_errors
from pilotfish.cluster.validation.metadata import label_errors
from pilotfish.cluster.validation.names import NameRule, dns_label
from pilotfish.cluster.validation.status_counts import STATEFUL_SET_COUNTS

RETENTION: Final = ("Retain", "Delete")


class StatefulSetStrategy(WorkloadStrategy):
    """The rules of StatefulSets."""

    label = "statefulset"
    senseless = ""
    status_counts = STATEFUL_SET_COUNTS
    changeable: ClassVar[tuple[str, ...]] = (
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds",
    )

    def name_rule(self) -> NameRule:
        """Give the rule for names of StatefulSets, which begin names in DNS."""
        return dns_label

    def initial_status(self) -> JsonObject:
        """Begin without replicas."""
        return {"replicas": 0, "availableReplicas": 0}

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Drop what needs a feature that is off."""
        super().prepare_for_create(obj, now)
        _drop_max_unavailable(obj)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Drop what needs a feature that is off, before changes are counted."""
        _drop_max_unavailable(new)
        super().prepare_for_update(new, old, now)

    def template_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the template; its pods have the claims' volumes besides."""
        claims = spec.get("volumeClaimTemplates") or ()
        names = dict.fromkeys((c.get("metadata") or {}).get("name", "") for c in claims)
        template = spec.get("template") or {}
        pod = template.get("spec") or {}
        volumes = [v for v in pod.get("volumes") or () if v.get("name", "") not in names]
        added = [{"name": name, "persistentVolumeClaim": {"claimName": name}} for name in names]
        filled = pod | {"volumes": [*added, *volumes]}
        yield from super().template_errors(spec | {"template": template | {"spec": filled}})
        labels = (template.get("metadata") or {}).get("labels")
        yield from label_errors(labels, "spec.template.labels")  # once more, as upstream does

    def strategy_errors(self, spec: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with the order of pods, their claims and their service."""
        policy = spec.get("podManagementPolicy")
        if policy not in ("OrderedReady", "Parallel"):
            detail = "must be 'OrderedReady' or 'Parallel'"
            yield field_invalid("spec.podManagementPolicy", policy, detail)
        strategy = spec.get("updateStrategy") or {}
        if strategy.get("type") not in ("RollingUpdate", "OnDelete"):
            detail = "must be 'RollingUpdate' or 'OnDelete'"
            yield field_invalid("spec.updateStrategy", internal(strategy), detail)
        rolling = strategy.get("rollingUpdate")
        if strategy.get("type") == "OnDelete" and rolling is not None:
            detail = "only allowed for updateStrategy 'RollingUpdate'"
            yield field_invalid("spec.updateStrategy.rollingUpdate", internal(rolling), detail)
        if (partition := (rolling or {}).get("partition", 0)) < 0:
            path = "spec.updateStrategy.rollingUpdate.partition"
            yield field_invalid(path, partition, NOT_NEGATIVE)
        for when, wanted in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
            if wanted not in RETENTION:
                path = f"spec.persistentVolumeClaimRetentionPolicy.{when}"
                yield field_not_supported(path, wanted, RETENTION)
        for i, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            yield from claim_spec_errors(claim["spec"], f"spec.volumeClaimTemplates[{i}].spec")

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a StatefulSet; upstream looks at the template last."""
        spec = obj["spec"]
        yield from self.strategy_errors(spec)
        yield from self.count_errors(spec)
        if (start := (spec.get("ordinals") or {}).get("start", 0)) < 0:
            yield field_invalid("spec.ordinals.start", start, NOT_NEGATIVE)
        name = spec.get("serviceName")
        for problem in dns_label(name) if name else ():
            yield field_invalid("spec.serviceName", name, problem)
        yield from self.selector_errors(spec)
        yield from self.template_errors(spec)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: only some fields may change."""
        yield from self.validate(new)
        kept, was = (
            {field: value for field, value in each["spec"].items() if field not in self.changeable}
            for each in (new, old)
        )
        if kept != was:
            yield field_forbidden(
                "spec",
                "updates to statefulset spec for fields other than 'replicas', 'ordinals', "
                "'template', 'updateStrategy', 'revisionHistoryLimit', "
                "'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
            )


def _drop_max_unavailable(stateful_set: JsonObject) -> None:
    """Forget how many pods may be replaced at once (upstream's MaxUnavailableStatefulSet)."""
    rolling = (stateful_set["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    rolling.pop("maxUnavailable", None)
