"""Validation of what asks for devices, and of the slices of devices that there are.

Source: kubernetes v1.36 pkg/apis/resource/validation/validation.go. differs: expressions, which
    nothing in this cluster evaluates, are not compiled; limits of sizes, counters and mappings are
    not checked.
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
    field_too_long,
)
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.validation.metadata import (
    driver_errors,
    label_key_errors,
    required_name_errors,
)
from pilotfish.cluster.validation.names import dns_label, dns_subdomain, label_value
from pilotfish.cluster.validation.placement import POSITIVE, node_selector_errors

MAX_EXPRESSION: Final = 10 * 1024  # bytes; upstream's CELSelectorExpressionMaxLength
MODES: Final = ("All", "ExactCount")
TOLERATED: Final = ("NoExecute", "NoSchedule", "None")
OPERATORS: Final = ("Equal", "Exists")
PLACES: Final = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
NO_REQUEST: Final = (
    "must be the name of a request in the claim or the name of a request and a subrequest "
    "separated by '/'"
)


def claim_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the spec of a claim, or of a template of claims."""
    devices, path = spec.get("devices") or {}, f"{path}.devices"
    names: set[str] = set()
    for i, request in enumerate(devices.get("requests") or ()):
        at, name = f"{path}.requests[{i}]", request.get("name", "")
        yield from _request_errors(request, at)
        if name in names:
            yield field_duplicate(at, name)
        names.add(name)
        names |= {f"{name}/{sub.get('name')}" for sub in request.get("firstAvailable") or ()}
    for i, constraint in enumerate(devices.get("constraints") or ()):
        yield from _reference_errors(constraint, names, f"{path}.constraints[{i}].requests")
    for i, config in enumerate(devices.get("config") or ()):
        yield from _reference_errors(config, names, f"{path}.config[{i}].requests")
    yield from configuration_errors(devices.get("config"), f"{path}.config")


def configuration_errors(configs: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with what drivers are to be told."""
    for i, config in enumerate(configs or ()):
        at, opaque = f"{path}[{i}].opaque", config.get("opaque")
        if opaque is None:
            yield field_required(at)
        else:
            yield from driver_errors(opaque.get("driver", ""), f"{at}.driver")


def selector_errors(selectors: list[JsonObject] | None, path: str) -> Iterator[FieldError]:
    """Give what is wrong with selectors of devices."""
    for i, selector in enumerate(selectors or ()):
        if (cel := selector.get("cel")) is None:
            yield field_required(f"{path}[{i}].cel")
            continue
        at, expression = f"{path}[{i}].cel.expression", cel.get("expression", "")
        if not expression.strip():
            yield field_invalid(at, expression, "compilation failed: the expression is empty")
        if len(expression.encode()) > MAX_EXPRESSION:
            yield field_too_long(at, MAX_EXPRESSION)


def slice_errors(spec: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with the spec of a slice."""
    yield from driver_errors(spec.get("driver", ""), f"{path}.driver")
    yield from _pool_errors(spec.get("pool") or {}, f"{path}.pool")
    if node_name := spec.get("nodeName"):
        for problem in dns_subdomain(node_name):
            yield field_invalid(f"{path}.nodeName", node_name, problem)
    if selector := spec.get("nodeSelector"):
        yield from node_selector_errors(selector, f"{path}.nodeSelector")
        if len(terms := selector.get("nodeSelectorTerms") or ()) != 1:
            detail = "must have exactly one node selector term"
            yield field_invalid(f"{path}.nodeSelector.nodeSelectorTerms", terms, detail)
    places = [f"`{place}`" for place in PLACES if spec.get(place)]
    detail = f"exactly one of {', '.join(f'`{place}`' for place in PLACES)} is required"
    if not places:
        yield field_required(path, detail)
    elif len(places) > 1:
        shown = f"{{{', '.join(places)}}}"
        yield field_invalid(path, shown, f"{detail}, but multiple fields are set")
    names = set()
    for i, device in enumerate(spec.get("devices") or ()):
        at, name = f"{path}.devices[{i}]", device.get("name", "")
        for problem in dns_label(name):
            yield field_invalid(f"{at}.name", name, problem)
        for key, value in (device.get("attributes") or {}).items():
            if len(value) != 1:
                detail = "exactly one value must be specified"
                yield field_invalid(f"{at}.attributes[{key}]", value, detail)
        for j, taint in enumerate(device.get("taints") or ()):
            yield from _taint_errors(taint, f"{at}.taints[{j}]")
        if name in names:
            yield field_duplicate(at, name)
        names.add(name)


def _taint_errors(taint: JsonObject, path: str) -> Iterator[FieldError]:
    yield from label_key_errors(taint.get("key", ""), f"{path}.key")
    for problem in label_value(taint.get("value", "")):
        yield field_invalid(f"{path}.value", taint["value"], problem)
    if not (effect := taint.get("effect", "")):
        yield field_required(f"{path}.effect")
    elif effect not in TOLERATED:
        yield field_not_supported(f"{path}.effect", effect, TOLERATED)


def _pool_errors(pool: JsonObject, path: str) -> Iterator[FieldError]:
    name, count = pool.get("name", ""), pool.get("resourceSliceCount", 0)
    if not name:
        yield field_required(f"{path}.name")
    for part in name.split("/") if name else ():
        for problem in dns_subdomain(part):
            yield field_invalid(f"{path}.name", part, problem)
    if count <= 0:
        yield field_invalid(f"{path}.resourceSliceCount", count, POSITIVE)
    if (generation := pool.get("generation", 0)) < 0:
        yield field_invalid(
            f"{path}.generation", generation, "must be greater than or equal to zero"
        )


def _request_errors(request: JsonObject, path: str) -> Iterator[FieldError]:
    name, exactly, others = request.get("name", ""), request.get("exactly"), "firstAvailable"
    for problem in dns_label(name):
        yield field_invalid(f"{path}.name", name, problem)
    alternatives = request.get(others) or ()
    detail = f"exactly one of `exactly` or `{others}` is required"
    if exactly is None and not alternatives:
        yield field_required(path, detail)
    elif exactly is not None and alternatives:
        yield field_invalid(path, None, f"{detail}, but multiple fields are set")
    elif exactly is not None:
        yield from _wanted_errors(exactly, f"{path}.exactly")
    for i, sub in enumerate(alternatives if exactly is None else ()):
        at, sub_name = f"{path}.{others}[{i}]", sub.get("name", "")
        for problem in dns_label(sub_name):
            yield field_invalid(f"{at}.name", sub_name, problem)
        yield from _wanted_errors(sub, at)


def _wanted_errors(wanted: JsonObject, path: str) -> Iterator[FieldError]:
    """Give what is wrong with one way to fulfil a request."""
    class_name, mode = wanted.get("deviceClassName", ""), wanted.get("allocationMode", "")
    count = wanted.get("count", 0)
    yield from required_name_errors(class_name, dns_subdomain, f"{path}.deviceClassName")
    yield from selector_errors(wanted.get("selectors"), f"{path}.selectors")
    if mode not in MODES:
        yield field_not_supported(f"{path}.allocationMode", mode, MODES)
    elif mode == "All" and count:
        detail = "must not be specified when allocationMode is 'All'"
        yield field_invalid(f"{path}.count", count, detail)
    elif mode == "ExactCount" and count <= 0:
        yield field_invalid(f"{path}.count", count, POSITIVE)
    for i, toleration in enumerate(wanted.get("tolerations") or ()):
        at, operator = f"{path}.tolerations[{i}]", toleration.get("operator", "")
        if operator not in OPERATORS:
            yield field_not_supported(f"{at}.operator", operator, OPERATORS)
        if (effect := toleration.get("effect")) not in (None, "", *TOLERATED):
            yield field_not_supported(f"{at}.effect", effect, TOLERATED)


def _reference_errors(holder: JsonObject, names: set[str], path: str) -> Iterator[FieldError]:
    for i, name in enumerate(holder.get("requests") or ()):
        if name not in names:
            yield field_invalid(f"{path}[{i}]", name, NO_REQUEST)
