"""Validation of when a container is restarted: after it ends, and when it is resized.

Source: kubernetes v1.36 pkg/apis/core/validation/validation.go, validateContainerRestartPolicy and
    validateResizePolicy.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_invalid,
    field_not_supported,
    field_required,
    field_too_many,
)
from pilotfish.cluster.objects import JsonObject

RESTART_POLICIES: Final = ("Always", "Never", "OnFailure")
ACTIONS: Final = ("Restart", "RestartAllContainers")
OPERATORS: Final = ("In", "NotIn")
MAX_RULES: Final = 20
MAX_EXIT_CODES: Final = 255
RESIZED: Final = {
    "resourceName": ("cpu", "memory"),
    "restartPolicy": ("NotRequired", "RestartContainer"),
}


def restart_errors(container: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with what happens when a container ends."""
    policy: str | None = container.get("restartPolicy")
    rules: list[JsonObject] = container.get("restartPolicyRules") or []
    if policy is None and rules:
        detail = "must specify restartPolicy when restart rules are used"
        yield field_required(f"{path}.restartPolicy", detail)
    elif policy not in (None, *RESTART_POLICIES):
        yield field_not_supported(f"{path}.restartPolicy", policy, RESTART_POLICIES)
    if len(rules) > MAX_RULES:
        yield field_too_many(f"{path}.restartPolicyRules", len(rules), MAX_RULES)
    for i, rule in enumerate(rules):
        at = f"{path}.restartPolicyRules[{i}]"
        if (action := rule.get("action", "")) not in ACTIONS:
            yield field_not_supported(f"{at}.action", action, ACTIONS)
        if (codes := rule.get("exitCodes")) is None:
            yield field_required(f"{at}.exitCodes", "must be specified")
            continue
        if (operator := codes.get("operator", "")) not in OPERATORS:
            yield field_not_supported(f"{at}.exitCodes.operator", operator, OPERATORS)
        if (count := len(codes.get("values") or ())) > MAX_EXIT_CODES:
            yield field_too_many(f"{at}.exitCodes.values", count, MAX_EXIT_CODES)


def resize_errors(
    policies: list[JsonObject], path: str, *, never_restarts: bool
) -> Iterator[FieldError]:
    """Give what is wrong with what happens when a container is resized."""
    names = set()
    for i, policy in enumerate(policies):
        name = policy.get("resourceName", "")
        if name in names:
            yield field_duplicate(f"{path}[{i}]", name)
        names.add(name)
        for field, supported in RESIZED.items():
            if not (value := policy.get(field, "")):
                yield field_required(path)
            elif value not in supported:
                yield field_not_supported(path, value, supported)
        if never_restarts and policy.get("restartPolicy", "") != "NotRequired":
            detail = "must be 'NotRequired' when pod `restartPolicy` is 'Never'"
            yield field_invalid(path, policy.get("restartPolicy", ""), detail)


def init_resize_errors(policies: list[JsonObject], path: str) -> Iterator[FieldError]:
    """Give what is wrong with a resize of an init container that ends before others begin."""
    for i, policy in enumerate(policies):
        if (restart := policy.get("restartPolicy")) == "RestartContainer":
            detail = "must not be set to 'RestartContainer' for non-sidecar initContainers"
            yield field_invalid(f"{path}[{i}].restartPolicy", restart, detail)
