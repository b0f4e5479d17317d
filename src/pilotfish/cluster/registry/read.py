"""Reading objects: get, list, and what a watch selects.

That the options of a list or watch go together is checked where they are parsed.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from pilotfish.api.selectors import (
    FieldRequirement,
    FieldSelector,
    MalformedSelectorError,
    parse_field_selector,
)
from pilotfish.cluster.errors import bad_request, not_found, quote, too_large_resource_version
from pilotfish.cluster.label_selectors import parse_label_selector
from pilotfish.cluster.objects import Stored, list_document
from pilotfish.cluster.registry.answers import OK, stored_answer
from pilotfish.cluster.registry.field_labels import check_field_label
from pilotfish.cluster.registry.registry import Registry
from pilotfish.cluster.requests import ApiAnswer, ApiRequest, Options
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.store import Cursor

_DIGITS: Final = 19  # of a resourceVersion: more are beyond all that there will ever be

Predicate = Callable[[Stored], bool]


def get(registry: Registry, request: ApiRequest) -> ApiAnswer:
    """Read one object.

    Raises:
        StatusError: It is not there, or the wanted resourceVersion is yet to come.
    """
    _not_newer_than_now(registry, request.options.resource_version)
    resource = request.resource
    stored = registry.store.get(resource.storage, request.namespace, request.name)
    if stored is None:
        raise not_found(resource, request.name)
    return stored_answer(resource, stored)


def list_objects(registry: Registry, request: ApiRequest) -> ApiAnswer:
    """Read the selected objects, or a page of them.

    Raises:
        StatusError: A selector is malformed, or it asks for what is forgotten or yet to come.
    """
    resource, options = request.resource, request.options
    matches = selection(resource, options)
    if options.continue_token and options.resource_version not in ("", "0"):
        raise bad_request("specifying resource version is not allowed when using continue")
    version = _not_newer_than_now(registry, options.resource_version)
    if options.limit <= 0 and not options.continue_token and not _is_exact(options):
        return list_answer(
            resource, _chosen(registry, request, matches), registry.store.resource_version
        )
    page = registry.store.page(
        resource.storage,
        request.namespace,
        max(options.limit, 0),
        options.continue_token,
        matches,
        at=version if _is_exact(options) else None,
    )
    return list_answer(
        resource, page.items, page.resource_version, page.continue_token, page.remaining
    )


def select(registry: Registry, request: ApiRequest) -> Sequence[Stored]:
    """Give all objects that a request selects, in order.

    Raises:
        StatusError: 400: a selector is malformed.
    """
    return _chosen(registry, request, selection(request.resource, request.options))


def watch(registry: Registry, request: ApiRequest) -> tuple[Cursor, Predicate]:
    """Give the changes since the request's resourceVersion, and which objects it selects.

    Raises:
        StatusError: A selector is malformed, or 410: the resourceVersion is too old; 504: the
            objects of a resourceVersion that is yet to come are asked for.
    """
    options = request.options
    matches = selection(request.resource, options)
    newest = registry.store.resource_version
    if options.send_initial_events:
        _not_newer_than_now(registry, options.resource_version)
        since = newest
    else:
        since = parse_resource_version(options.resource_version) or newest
    cursor = registry.store.subscribe(request.resource.storage, since)
    namespace = request.namespace

    def selects(stored: Stored) -> bool:
        if namespace and stored.namespace != namespace:
            return False
        return matches is None or matches(stored)

    return cursor, selects


def list_answer(
    resource: Resource,
    items: Sequence[Stored],
    version: int,
    continue_token: str = "",
    remaining: int | None = None,
) -> ApiAnswer:
    """Answer with a list, or a page of one, in pieces where it is long."""
    document = list_document(
        resource,
        (stored.body for stored in items),
        version,
        continue_token=continue_token,
        remaining=remaining,
    )
    body = next(document)
    return ApiAnswer(
        code=OK,
        resource=resource,
        body=body,
        more=document if body.endswith(b",") else None,
        items=items,
    )


def selection(resource: Resource, options: Options) -> Predicate | None:
    """Give what the label and field selectors of a request choose; None for everything.

    Raises:
        StatusError: 400: a selector is malformed, or names a field that cannot be selected on.
    """
    labels = _label_predicate(options.label_selector)
    fields = _field_predicate(resource, options.field_selector)
    if labels is None or fields is None:
        return labels or fields
    return lambda stored: labels(stored) and fields(stored)


def check_selectors(options: Options) -> None:
    """See that the selectors of a request can be read, whatever they may name.

    Raises:
        StatusError: 400: one cannot.
    """
    parse_label_selector(options.label_selector)
    _read_field_selector(options.field_selector)


def parse_resource_version(text: str) -> int:
    """Read a resourceVersion; an absent one is 0.

    Raises:
        StatusError: 400.
    """
    if not text:
        return 0
    is_number = text.isascii() and text.isdigit()
    if not is_number or len(text.lstrip("0")) > _DIGITS:
        raise bad_request(
            f"invalid resource version: resourceVersion: Invalid value: {quote(text)}: "
            f"strconv.ParseUint: parsing {quote(text)}: "
            f"{'value out of range' if is_number else 'invalid syntax'}"
        )
    return int(text[-_DIGITS:])


def _not_newer_than_now(registry: Registry, text: str) -> int:
    version, newest = parse_resource_version(text), registry.store.resource_version
    if version > newest:
        raise too_large_resource_version(version, newest)
    return version


def _is_exact(options: Options) -> bool:
    """Say whether a list must be of one resourceVersion: asked so, or by a limit alone."""
    if options.resource_version in ("", "0") or options.continue_token:
        return False
    match = options.resource_version_match
    return match == "Exact" or (not match and options.limit > 0)


def _chosen(registry: Registry, request: ApiRequest, matches: Predicate | None) -> Sequence[Stored]:
    items = registry.store.list(request.resource.storage, request.namespace).items
    return items if matches is None else tuple(filter(matches, items))


def _label_predicate(text: str) -> Predicate | None:
    if not text:
        return None
    selector = parse_label_selector(text)
    return lambda stored: selector.matches(stored.labels)


def _field_predicate(resource: Resource, text: str) -> Predicate | None:
    if not text:
        return None
    requirements = _read_field_selector(text).requirements
    tests = [_field_test(resource, requirement) for requirement in requirements]
    return lambda stored: all(test(stored) for test in tests)


def _read_field_selector(text: str) -> FieldSelector:
    try:
        return parse_field_selector(text)
    except MalformedSelectorError as error:
        raise bad_request(str(error)) from None


def _field_test(resource: Resource, requirement: FieldRequirement) -> Predicate:
    value, equal = requirement.value, requirement.equal
    check_field_label(resource, requirement.field)
    match requirement.field:
        case "metadata.name":
            return lambda stored: (stored.name == value) is equal
        case "metadata.namespace":
            return lambda stored: (stored.namespace == value) is equal
        case field:
            column = TABLE.column(resource, field)
            return lambda stored: (stored.selectable[column] == value) is equal
