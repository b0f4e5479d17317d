"""Validation of what a pod says about where it may run.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_required,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.metadata import label_key_errors, selector_errors
from pilotfish.cluster.validation.names import (
    dns_label,
    dns_subdomain,
    label_value,
    qualified_name,
)

EFFECTS: Final = ("NoSchedule", "PreferNoSchedule", "NoExecute")
POSITIVE: Final = "must be greater than zero"
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
MAX_WEIGHT: Final = 100


def toleration_errors(tolerations: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with tolerations."""
    for i, toleration in enumerate(tolerations or ()):
        yield from _toleration_errors(toleration, f"{path}[{i}]")


def taint_errors(taints: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a node's taints; key and effect together are unique."""
    seen: dict[str, set[str]] = {}
    for i, taint in enumerate(taints or ()):
        key, effect = taint.get("key", ""), taint.get("effect", "")
        for problem in qualified_name(key):
            yield field_invalid(f"{path}[{i}].key", key, problem)
        if problems := label_value(taint.get("value", "")):
            yield field_invalid(f"{path}[{i}].value", taint["value"], ";".join(problems))
        yield from _effect_errors(effect, f"{path}[{i}].effect")
        if key in seen.setdefault(effect, set()):
            shown = {"Key": key, "Value": taint.get("value", ""), "Effect": effect}
            duplicate = field_duplicate(f"{path}[{i}]", shown | {"TimeAdded": None})
            detail = "taints must be unique by key and effect pair"
            yield FieldError(duplicate.field, duplicate.reason, f"{duplicate.body}: {detail}")
        seen[effect].add(key)


def affinity_errors(affinity: JsonObject | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with node affinity, pod affinity and pod anti-affinity."""
    if not affinity:
        return
    if nodes := affinity.get("nodeAffinity"):
        at = f"{path}.nodeAffinity"
        if (required := nodes.get(REQUIRED)) is not None:
            yield from node_selector_errors(required, f"{at}.{REQUIRED}")
        for i, term in enumerate(nodes.get(PREFERRED) or ()):
            place = f"{at}.{PREFERRED}[{i}]"
            yield from _weight_errors(term, place)
            preference = term.get("preference") or {}
            yield from _node_term_errors(preference, f"{place}.preference", check_values=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        terms = affinity.get(kind) or {}
        for i, term in enumerate(terms.get(REQUIRED) or ()):
            yield from _pod_term_errors(term, f"{path}.{kind}.{REQUIRED}[{i}]")
        for i, weighted in enumerate(terms.get(PREFERRED) or ()):
            place = f"{path}.{kind}.{PREFERRED}[{i}]"
            yield from _weight_errors(weighted, place)
            term = weighted.get("podAffinityTerm") or {}
            yield from _pod_term_errors(term, f"{place}.podAffinityTerm")


def node_selector_errors(selector: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with a node selector."""
    terms = selector.get("nodeSelectorTerms") or ()
    if not terms:
        detail = "must have at least one node selector term"
        yield field_required(f"{path}.nodeSelectorTerms", detail)
    for i, term in enumerate(terms):
        yield from _node_term_errors(term, f"{path}.nodeSelectorTerms[{i}]", check_values=True)


def gate_errors(gates: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with scheduling gates."""
    seen = set()
    for i, gate in enumerate(gates or ()):
        name = gate.get("name", "")
        for problem in qualified_name(name):
            yield field_invalid(f"{path}[{i}]", name, problem)
        if name in seen:
            yield field_duplicate(f"{path}[{i}]", name)
        seen.add(name)


def spread_errors(constraints: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with topology spread constraints."""
    following = Counter(map(_spreads_over, constraints or ()))
    for i, constraint in enumerate(constraints or ()):
        following[_spreads_over(constraint)] -= 1
        is_repeated = following[_spreads_over(constraint)] > 0
        yield from _constraint_errors(constraint, f"{path}[{i}]", is_repeated=is_repeated)


def _constraint_errors(
    constraint: JsonObject, path: str, *, is_repeated: bool
) -> Iterator[FieldError]:
    skew, key = constraint.get("maxSkew", 0), constraint.get("topologyKey", "")
    action, domains = constraint.get("whenUnsatisfiable", ""), constraint.get("minDomains")
    if skew <= 0:
        yield field_invalid(f"{path}.maxSkew", skew, POSITIVE)
    if not key:
        yield field_required(f"{path}.topologyKey", "can not be empty")
    if action not in ("DoNotSchedule", "ScheduleAnyway"):
        supported = ("DoNotSchedule", "ScheduleAnyway")
        yield field_not_supported(f"{path}.whenUnsatisfiable", action, supported)
    if is_repeated:
        yield field_duplicate(f"{path}.{{topologyKey, whenUnsatisfiable}}", f"{{{key}, {action}}}")
    if domains is not None:
        if domains <= 0:
            yield field_invalid(f"{path}.minDomains", domains, POSITIVE)
        if action != "DoNotSchedule":
            detail = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not"
            yield field_invalid(f"{path}.minDomains", domains, f"{detail} {action}")
    for policy in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if constraint.get(policy) not in (None, "Honor", "Ignore"):
            yield field_not_supported(f"{path}.{policy}", constraint[policy], ("Honor", "Ignore"))
    yield from _label_keys_errors(constraint, path)
    yield from selector_errors(constraint.get("labelSelector"), f"{path}.labelSelector")


def _spreads_over(constraint: JsonObject) -> tuple[str, str]:
    return constraint.get("topologyKey", ""), constraint.get("whenUnsatisfiable", "")


def _toleration_errors(toleration: JsonObject, path: str) -> Iterator[FieldError]:
    key, operator = toleration.get("key", ""), toleration.get("operator", "")
    value, effect = toleration.get("value", ""), toleration.get("effect", "")
    if key:
        yield from label_key_errors(key, f"{path}.key")
    elif operator != "Exists":
        detail = (
            "operator must be Exists when `key` is empty, "
            'which means "match all values and all keys"'
        )
        yield field_invalid(f"{path}.operator", operator, detail)
    if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield field_invalid(f"{path}.effect", effect, detail)
    match operator:
        case "Equal" | "":
            if problems := label_value(value):
                yield field_invalid(f"{path}.operator", value, ";".join(problems))
        case "Exists":
            if value:
                detail = "value must be empty when `operator` is 'Exists'"
                yield field_invalid(f"{path}.operator", value, detail)
        case "Lt" | "Gt":
            yield field_not_supported(f"{path}.operator", operator, ("Equal", "Exists", "Lt", "Gt"))
        case _:
            yield field_not_supported(f"{path}.operator", operator, ("Equal", "Exists"))
    if effect:
        yield from _effect_errors(effect, f"{path}.effect")


def _effect_errors(effect: str, path: str) -> Iterator[FieldError]:
    if not effect:
        yield field_required(path)
    elif effect not in EFFECTS:
        yield field_not_supported(path, effect, EFFECTS)


def _weight_errors(term: JsonObject, path: str) -> Iterator[FieldError]:
    weight = term.get("weight", 0)
    if not 0 < weight <= MAX_WEIGHT:
        yield field_invalid(f"{path}.weight", weight, "must be in the range 1-100")


def _node_term_errors(term: JsonObject, path: str, *, check_values: bool) -> Iterator[FieldError]:
    for i, requirement in enumerate(term.get("matchExpressions") or ()):
        at = f"{path}.matchExpressions[{i}]"
        yield from _node_requirement_errors(requirement, at, check_values=check_values)
    for i, requirement in enumerate(term.get("matchFields") or ()):
        yield from _node_field_errors(requirement, f"{path}.matchFields[{i}]")


def _node_requirement_errors(
    requirement: JsonObject, path: str, *, check_values: bool
) -> Iterator[FieldError]:
    values: list[str] = requirement.get("values") or []
    match operator := requirement.get("operator", ""):
        case "In" | "NotIn" if not values:
            detail = "must be specified when `operator` is 'In' or 'NotIn'"
            yield field_required(f"{path}.values", detail)
        case "Exists" | "DoesNotExist" if values:
            detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            yield field_forbidden(f"{path}.values", detail)
        case "Gt" | "Lt" if len(values) != 1:
            detail = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield field_required(f"{path}.values", detail)
        case "In" | "NotIn" | "Exists" | "DoesNotExist" | "Gt" | "Lt":
            pass
        case _:
            yield field_invalid(f"{path}.operator", operator, "not a valid selector operator")
    yield from label_key_errors(requirement.get("key", ""), f"{path}.key")
    for i, value in enumerate(values if check_values else ()):
        for problem in label_value(value):
            yield field_invalid(f"{path}.values[{i}]", value, problem)


def _node_field_errors(requirement: JsonObject, path: str) -> Iterator[FieldError]:
    values: list[str] = requirement.get("values") or []
    key, operator = requirement.get("key", ""), requirement.get("operator", "")
    if operator not in ("In", "NotIn"):
        yield field_invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield field_required(f"{path}.values", detail)
    if key != "metadata.name":
        yield field_invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for i, value in enumerate(values):
        for problem in dns_subdomain(value):
            yield field_invalid(f"{path}.values[{i}]", value, problem)


def _pod_term_errors(term: JsonObject, path: str) -> Iterator[FieldError]:
    yield from selector_errors(term.get("labelSelector"), f"{path}.labelSelector")
    yield from selector_errors(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for namespace in term.get("namespaces") or ():
        for problem in dns_label(namespace):
            yield field_invalid(f"{path}.namespace", namespace, problem)
    yield from _label_keys_errors(term, path)
    key = term.get("topologyKey", "")
    if not key:
        yield field_required(f"{path}.topologyKey", "can not be empty")
    yield from label_key_errors(key, f"{path}.topologyKey")


def _label_keys_errors(term: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with matchLabelKeys and mismatchLabelKeys.

    A key that the server merged into the selector itself is there once, and that is fine.
    """
    selector: dict[str, Any] | None = term.get("labelSelector")
    matched: list[str] = term.get("matchLabelKeys") or []
    mismatched: list[str] = term.get("mismatchLabelKeys") or []
    for field, keys in (("matchLabelKeys", matched), ("mismatchLabelKeys", mismatched)):
        if keys and selector is None:
            detail = "must not be specified when labelSelector is not set"
            yield field_forbidden(f"{path}.{field}", detail)
        for i, key in enumerate(keys if selector is not None else ()):
            yield from label_key_errors(key, f"{path}.{field}[{i}]")
    if selector is not None:
        named = set(selector.get("matchLabels") or ())
        for expression in selector.get("matchExpressions") or ():
            key = expression.get("key", "")
            if key in matched and key in named:
                detail = "exists in both matchLabelKeys and labelSelector"
                yield field_invalid(f"{path}[{matched.index(key)}]", key, detail)
            named.add(key)
    for i, key in enumerate(matched):
        if key in mismatched:
            detail = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield field_invalid(f"{path}.matchLabelKeys[{i}]", key, detail)
