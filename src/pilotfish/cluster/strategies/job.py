"""Jobs.

Source: kubernetes v1.36 pkg/registry/batch/job/strategy.go and
    pkg/apis/batch/validation/validation.go. differs: of the status, only counts and the completed
    indexes are checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.job_indexes import wrong_indexes
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.job_policies import policy_errors
from pilotfish.cluster.strategies.strategy import Strategy
from pilotfish.cluster.strategies.workloads import MISMATCH, template_errors, template_warnings
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE
from pilotfish.cluster.validation.metadata import IMMUTABLE, selector_errors
from pilotfish.cluster.validation.names import dns_label
from pilotfish.cluster.validation.status_counts import FEWER_SUCCEEDED, JOB_COUNTS

UID_LABEL: Final = "batch.kubernetes.io/controller-uid"
UID_LABELS: Final = ("controller-uid", UID_LABEL)
NAME_LABEL: Final = "batch.kubernetes.io/job-name"
NAME_LABELS: Final = ("job-name", NAME_LABEL)
COUNTS: Final = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
FIXED: Final = (
    "selector",
    "completionMode",
    "podFailurePolicy",
    "backoffLimitPerIndex",
    "managedBy",
    "successPolicy",
)
SCHEDULING: Final = ("nodeSelector", "tolerations", "schedulingGates", "affinity")


class JobStrategy(Strategy):
    """The rules of Jobs, whose selectors the server makes of their uids."""

    has_generation = True
    orphans_by_default = True
    status_counts = JOB_COUNTS

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Make selector and labels; the job takes the labels of its template."""
        super().prepare_for_create(obj, now)
        metadata, spec = obj["metadata"], obj["spec"]
        template = spec.setdefault("template", {}).setdefault("metadata", {})
        if not spec.get("manualSelector"):
            own = dict.fromkeys(NAME_LABELS, metadata.get("name", ""))
            own |= dict.fromkeys(UID_LABELS, metadata["uid"])
            template["labels"] = own | (template.get("labels") or {})
            selector = spec.setdefault("selector", {})
            selector["matchLabels"] = {UID_LABEL: metadata["uid"]} | (
                selector.get("matchLabels") or {}
            )
        _take_labels(obj)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Have labels again where an update takes all away."""
        super().prepare_for_update(new, old, now)
        _take_labels(new)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a Job."""
        spec = obj["spec"]
        if spec.get("selector") is None:
            yield field_required("spec.selector")
        elif not spec.get("manualSelector"):
            yield from _generated_errors(obj)
        for field in COUNTS:
            if spec.get(field, 0) < 0:
                yield field_invalid(f"spec.{field}", spec[field], NOT_NEGATIVE)
        mode, supported = spec.get("completionMode"), ("NonIndexed", "Indexed")
        if mode not in (None, *supported):
            yield field_not_supported("spec.completionMode", mode, supported)
        yield from policy_errors(spec)
        yield from template_errors(spec["template"], "spec.template")
        yield from _restart_errors(spec)
        yield from selector_errors(spec.get("selector"), "spec.selector")
        labels = _template_labels(obj)
        wanted = (spec.get("selector") or {}).get("matchLabels") or {}
        if any(labels.get(key) != value for key, value in wanted.items()):
            yield field_invalid("spec.template.metadata.labels", labels or None, MISMATCH)

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what the client should be told about a new Job."""
        if problems := dns_label(obj["metadata"]["name"]):
            yield (
                "metadata.name: this is used in Pod names and hostnames, which can result in "
                f"surprising behavior; a DNS label is recommended: [{' '.join(problems)}]"
            )
        yield from template_warnings(obj)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update: what its pods are stays, unless it is suspended."""
        yield from self.validate(new)
        spec, known = new["spec"], old["spec"]
        if spec.get("completionMode") == "Indexed":
            if spec.get("completions") not in (known.get("completions"), spec.get("parallelism")):
                detail = "can only be modified in tandem with spec.parallelism"
                yield field_invalid("spec.completions", spec.get("completions"), detail)
        elif spec.get("completions") != known.get("completions"):
            yield field_invalid("spec.completions", spec.get("completions"), IMMUTABLE)
        if _may_change_pods(old):
            if _fixed_part(new) != _fixed_part(old):
                pod_spec = spec["template"].get("spec")
                yield field_invalid("spec.template.spec", pod_spec, IMMUTABLE)
        elif spec["template"] != known["template"]:
            yield field_invalid("spec.template", spec["template"], IMMUTABLE)
        for field in FIXED:
            if spec.get(field) != known.get(field):
                yield field_invalid(f"spec.{field}", spec.get(field), IMMUTABLE)

    def validate_status_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update of the status."""
        at, spec = "status.completedIndexes", new["spec"]
        is_indexed = spec.get("completionMode") == "Indexed"
        shrinks = is_indexed and spec.get("completions") == spec.get("parallelism")
        for error in super().validate_status_update(new, old):
            if not (shrinks and error.body.endswith(FEWER_SUCCEEDED)):
                yield error
        said, known = ((job.get("status") or {}).get("completedIndexes", "") for job in (new, old))
        if said == known:
            return
        if "completions" in spec and (why := wrong_indexes(said, spec["completions"])):
            yield field_invalid(at, said, f"error parsing completedIndexes: {why}")
        if said and not is_indexed:
            why = "cannot set non-empty completedIndexes when non-indexed completion mode"
            yield field_invalid(at, said, why)


def _take_labels(job: JsonObject) -> None:
    """Give a job without labels those of its template, what the server made of it included."""
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels")
    if labels and not job["metadata"].get("labels"):
        job["metadata"]["labels"] = dict(labels)


def _template_labels(job: JsonObject) -> dict[str, str]:
    labels = (job["spec"]["template"].get("metadata") or {}).get("labels") or {}
    return dict(sorted(labels.items()))  # as messages show them


def _generated_errors(job: JsonObject) -> Iterator[FieldError]:
    """Give where the selector and labels are not those that the server makes."""
    metadata, selector = job["metadata"], job["spec"]["selector"]
    labels, uid = _template_labels(job), metadata.get("uid", "")
    name = metadata.get("name", "")
    wanted = {"controller-uid": uid, "job-name": name, UID_LABEL: uid, NAME_LABEL: name}
    for key, value in wanted.items():
        if labels.get(key) != value:
            path = f"spec.template.metadata.labels[{key}]"
            yield field_invalid(path, labels or None, f"must be '{value}'")
    matched = dict(sorted((selector.get("matchLabels") or {}).items()))
    if any(wanted.get(key) != value for key, value in matched.items()):
        shown = selector | {"matchLabels": matched}
        yield field_invalid("spec.selector", shown, "`selector` not auto-generated")


def _restart_errors(spec: JsonObject) -> Iterator[FieldError]:
    policy = (spec["template"].get("spec") or {}).get("restartPolicy", "")
    path, supported = "spec.template.spec.restartPolicy", ("OnFailure", "Never")
    if policy in ("", "Always"):
        yield field_required(path, 'valid values: "OnFailure", "Never"')
    elif policy not in supported:
        yield field_not_supported(path, policy, supported)
    elif policy == "OnFailure" and spec.get("podFailurePolicy") is not None:
        detail = 'only "Never" is supported when podFailurePolicy is specified'
        yield field_invalid(path, policy, detail)


def _may_change_pods(job: JsonObject) -> bool:
    """Say whether a job may yet change its pods: while it is suspended and has none.

    Source: kubernetes v1.36 pkg/registry/batch/job/strategy.go, shouldAllowMutablePodTemplate.
    """
    status = job.get("status") or {}
    conditions = {c.get("type"): c.get("status") for c in status.get("conditions") or ()}
    has_stopped = "startTime" not in status or conditions.get("Suspended") == "True"
    return bool(job["spec"].get("suspend")) and has_stopped and not status.get("active")


def _fixed_part(job: JsonObject) -> JsonObject:
    """Give a job's pods without where they run and what they ask for."""
    spec = job["spec"]["template"].get("spec") or {}
    fixed = {field: value for field, value in spec.items() if field not in SCHEDULING}
    for field in ("containers", "initContainers"):
        containers = fixed.get(field) or ()
        fixed[field] = [{k: v for k, v in each.items() if k != "resources"} for each in containers]
    return fixed
