"""What is wrong with the limits and policies of a Job.

Source: kubernetes v1.36 pkg/apis/batch/validation/validation.go, validateJobSpec and the functions
    that it calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_invalid,
    field_not_supported,
    field_required,
    field_too_long,
    field_too_many,
    field_wrong,
)
from pilotfish.cluster.job_indexes import read_indexes, wrong_indexes
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.amounts import NOT_NEGATIVE
from pilotfish.cluster.validation.names import dns_subdomain, qualified_name

MOST_RULES: Final = 20
MOST_PATTERNS: Final = 20
MOST_EXIT_CODES: Final = 255
MOST_INDEXED: Final = 100_000  # pods at once, and failed indexes
MANY_COMPLETIONS: Final = 100_000  # from there on the limits are smaller
MOST_OF_MANY: Final = 10_000
LONGEST_MANAGER: Final = 63
LONGEST_INDEXES: Final = 64 * 1024
ACTIONS: Final = ("Count", "FailIndex", "FailJob", "Ignore")
OPERATORS: Final = ("In", "NotIn")
STATUSES: Final = ("False", "True", "Unknown")
REPLACEMENTS: Final[tuple[str, ...]] = ("Failed", "TerminatingOrFailed")


def policy_errors(spec: JsonObject) -> Iterator[FieldError]:
    """Yield what is wrong with the limits and policies of a Job's spec."""
    yield from _limit_errors(spec)
    if (failures := spec.get("podFailurePolicy")) is not None:
        yield from _failure_errors(spec, failures.get("rules") or [])
    if (success := spec.get("successPolicy")) is not None:
        if spec.get("completionMode") != "Indexed":
            yield field_wrong("spec.successPolicy", "requires indexed completion mode")
        elif "completions" in spec:
            yield from _success_errors(success.get("rules") or [], spec["completions"])
    replacement, choices = spec.get("podReplacementPolicy"), REPLACEMENTS
    if failures is not None:
        choices = REPLACEMENTS[:1]
    if replacement not in (None, *choices):
        yield field_not_supported("spec.podReplacementPolicy", replacement, choices)


def _limit_errors(spec: JsonObject) -> Iterator[FieldError]:
    if "maxFailedIndexes" in spec and "backoffLimitPerIndex" not in spec:
        yield field_required("spec.backoffLimitPerIndex", "when maxFailedIndexes is specified")
    if (manager := spec.get("managedBy")) is not None:
        yield from _manager_errors(manager)
    if spec.get("completionMode") == "Indexed":
        yield from _indexed_errors(spec)
        return
    for field in ("backoffLimitPerIndex", "maxFailedIndexes"):
        if field in spec:
            yield field_invalid(f"spec.{field}", spec[field], "requires indexed completion mode")


def _manager_errors(manager: str) -> Iterator[FieldError]:
    domain, _, path = manager.partition("/")
    if not manager:
        yield field_required("spec.managedBy")
    elif not domain or not path:
        detail = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield field_invalid("spec.managedBy", manager, detail)
    else:
        for problem in dns_subdomain(domain):
            yield field_invalid("spec.managedBy", domain, problem)
    if len(manager) > LONGEST_MANAGER:
        yield field_too_long("spec.managedBy", LONGEST_MANAGER)


def _indexed_errors(spec: JsonObject) -> Iterator[FieldError]:
    if "completions" not in spec:
        yield field_required("spec.completions", "when completion mode is Indexed")
    completions, parallelism = spec.get("completions", 0), spec.get("parallelism", 1)
    failed = spec.get("maxFailedIndexes", 0)
    most = f"must be less than or equal to {MOST_INDEXED}"
    if parallelism > MOST_INDEXED:
        detail = f"{most} when completion mode is Indexed"
        yield field_invalid("spec.parallelism", parallelism, detail)
    if "completions" in spec and failed > completions:
        detail = "must be less than or equal to completions"
        yield field_invalid("spec.maxFailedIndexes", failed, detail)
    if failed > MOST_INDEXED:
        yield field_invalid("spec.maxFailedIndexes", failed, most)
    if completions <= MANY_COMPLETIONS or "backoffLimitPerIndex" not in spec:
        return
    if "maxFailedIndexes" not in spec:
        detail = f"must be specified when completions is above {MANY_COMPLETIONS}"
        yield field_required("spec.maxFailedIndexes", detail)
    for field, value in (("parallelism", parallelism), ("maxFailedIndexes", failed)):
        if value > MOST_OF_MANY:
            detail = (
                f"must be less than or equal to {MOST_OF_MANY} when completions are above "
                f"{MANY_COMPLETIONS} and used with backoff limit per index"
            )
            yield field_invalid(f"spec.{field}", value, detail)


def _failure_errors(spec: JsonObject, rules: Sequence[JsonObject]) -> Iterator[FieldError]:
    at, template = "spec.podFailurePolicy.rules", spec["template"].get("spec") or {}
    if len(rules) > MOST_RULES:
        yield field_too_many(at, len(rules), MOST_RULES)
    kinds = ("containers", "initContainers")
    names = {one["name"] for kind in kinds for one in template.get(kind) or () if "name" in one}
    for place, rule in enumerate(rules):
        path, action = f"{at}[{place}]", rule.get("action", "")
        if not action:
            yield _missing_choice(f"{path}.action", ACTIONS)
        elif action == "FailIndex" and "backoffLimitPerIndex" not in spec:
            detail = "requires the backoffLimitPerIndex to be set"
            yield field_invalid(f"{path}.action", action, detail)
        elif action not in ACTIONS:
            yield field_not_supported(f"{path}.action", action, ACTIONS)
        codes, patterns = rule.get("onExitCodes"), rule.get("onPodConditions") or []
        if codes is not None:
            yield from _exit_code_errors(codes, f"{path}.onExitCodes", names)
        yield from _pattern_errors(patterns, f"{path}.onPodConditions")
        if codes is not None and patterns:
            detail = "specifying both OnExitCodes and OnPodConditions is not supported"
            yield field_wrong(path, detail)
        if codes is None and not patterns:
            yield field_wrong(path, "specifying one of OnExitCodes and OnPodConditions is required")


def _exit_code_errors(codes: JsonObject, path: str, containers: set[str]) -> Iterator[FieldError]:
    operator, container = codes.get("operator", ""), codes.get("containerName")
    if not operator:
        yield _missing_choice(f"{path}.operator", OPERATORS)
    elif operator not in OPERATORS:
        yield field_not_supported(f"{path}.operator", operator, OPERATORS)
    if container is not None and container not in containers:
        detail = "must be one of the container or initContainer names in the pod template"
        yield field_invalid(f"{path}.containerName", container, detail)
    values: list[int] = codes.get("values") or []
    if not values:
        yield field_invalid(f"{path}.values", values, "at least one value is required")
    elif len(values) > MOST_EXIT_CODES:
        yield field_too_many(f"{path}.values", len(values), MOST_EXIT_CODES)
    for place, value in enumerate(values):
        if operator == "In" and value == 0:
            detail = "must not be 0 for the In operator"
            yield field_invalid(f"{path}.values[{place}]", value, detail)
        if value in values[:place]:
            yield field_duplicate(f"{path}.values[{place}]", value)
    if any(before > value for before, value in pairwise(values)):
        yield field_invalid(f"{path}.values", values, "must be ordered")


def _pattern_errors(patterns: Sequence[JsonObject], path: str) -> Iterator[FieldError]:
    if len(patterns) > MOST_PATTERNS:
        yield field_too_many(path, len(patterns), MOST_PATTERNS)
    for place, pattern in enumerate(patterns):
        kind, status = pattern.get("type", ""), pattern.get("status", "")
        for problem in qualified_name(kind):
            yield field_invalid(f"{path}[{place}].type", kind, problem)
        if not status:
            yield _missing_choice(f"{path}[{place}].status", STATUSES)
        elif status not in STATUSES:
            yield field_not_supported(f"{path}[{place}].status", status, STATUSES)


def _success_errors(rules: Sequence[JsonObject], completions: int) -> Iterator[FieldError]:
    at = "spec.successPolicy.rules"
    if not rules:
        detail = "at least one rules must be specified when the successPolicy is specified"
        yield field_required(at, detail)
    if len(rules) > MOST_RULES:
        yield field_too_many(at, len(rules), MOST_RULES)
    for place, rule in enumerate(rules):
        path, count, indexes = f"{at}[{place}]", rule.get("succeededCount"), None
        if (text := rule.get("succeededIndexes")) is not None:
            if len(text) > LONGEST_INDEXES:
                yield field_too_long(f"{path}.succeededIndexes", LONGEST_INDEXES)
            if why := wrong_indexes(text, completions):
                why = f"error parsing succeededIndexes: {why}"
                yield field_invalid(f"{path}.succeededIndexes", text, why)
            indexes = 0 if why else len(read_indexes(text))
        if count is not None:
            yield from _succeeded_count_errors(
                f"{path}.succeededCount", count, completions, indexes
            )
        elif text is None:
            detail = "at least one of succeededCount or succeededIndexes must be specified"
            yield field_required(path, detail)


def _succeeded_count_errors(
    path: str, count: int, completions: int, indexes: int | None
) -> Iterator[FieldError]:
    if count < 0:
        yield field_invalid(path, count, NOT_NEGATIVE)
    meanings = (
        (completions, "the number of specified completions"),
        (indexes, "the number of indexes in the specified succeededIndexes field"),
    )
    for most, meaning in meanings:
        if most is not None and count > most:
            yield field_invalid(path, count, f"must be less than or equal to {most} ({meaning})")


def _missing_choice(path: str, choices: Sequence[str]) -> FieldError:
    shown = " ".join(f'"{choice}"' for choice in choices)
    return field_required(path, f"valid values: [{shown}]")
