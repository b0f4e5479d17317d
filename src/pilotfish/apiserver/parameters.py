"""Query parameters and DeleteOptions: read, checked as upstream checks them, and made Options.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
and .../pkg/apis/meta/internalversion/validation/validation.go.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from pilotfish.cluster.errors import GroupKind, bad_request, invalid
from pilotfish.cluster.field_errors import (
    FieldError,
    field_forbidden,
    field_invalid,
    field_not_supported,
    field_too_long,
)
from pilotfish.cluster.registry.read import check_selectors
from pilotfish.cluster.requests import FieldValidation, Options

MAX_MANAGER_BYTES: Final = 128  # upstream's FieldManagerMaxLength

_INTEGER = re.compile(r"[+-]?[0-9]+")
_MAX_INT64: Final = 2**63 - 1
_DIGITS: Final = 40  # more are no int64 even with leading zeros that anyone writes
_VALIDATION: Final[Mapping[str, FieldValidation]] = {
    "": "Warn",
    "Ignore": "Ignore",
    "Strict": "Strict",
    "Warn": "Warn",
}


class Query:
    """The parameters of one request; where one is given twice, the first counts."""

    def __init__(self, text: str) -> None:
        self._values: dict[str, list[str]] = {}
        if text:
            for name, value in parse_qsl(text, keep_blank_values=True):
                self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """Return a parameter, or nothing."""
        values = self._values.get(name)
        return values[0] if values else ""

    def texts(self, name: str) -> Sequence[str]:
        """Return a parameter that may be repeated."""
        return self._values.get(name, ())

    def flag(self, name: str) -> bool:
        """Say whether a parameter is there and not false."""
        values = self._values.get(name)
        return values is not None and values[0].lower() not in ("false", "0")

    def optional_flag(self, name: str) -> bool | None:
        """Return a flag, or None where nothing is said."""
        return self.flag(name) if name in self._values else None

    def integer(self, name: str) -> int | None:
        """Return a whole number, or None where nothing is said.

        Raises:
            StatusError: 400, it is none.
        """
        if name not in self._values:
            return None
        text = self.text(name)
        if not _INTEGER.fullmatch(text):
            raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax')
        if len(text) > _DIGITS or abs(int(text)) > _MAX_INT64:
            raise bad_request(f'strconv.ParseInt: parsing "{text}": value out of range')
        return int(text)


def list_options(query: Query, *, watch: bool) -> Options:
    """Read what a list or a watch is asked for.

    Raises:
        StatusError: 400 or 422.
    """
    timeout_seconds, limit = query.integer("timeoutSeconds"), query.integer("limit")
    options = Options(
        label_selector=query.text("labelSelector"),
        field_selector=query.text("fieldSelector"),
        limit=max(0, limit or 0),
        continue_token=query.text("continue"),
        resource_version=query.text("resourceVersion"),
        resource_version_match=query.text("resourceVersionMatch"),
        allow_watch_bookmarks=query.flag("allowWatchBookmarks"),
        send_initial_events=query.optional_flag("sendInitialEvents"),
        timeout_seconds=timeout_seconds,
    )
    check_selectors(options)  # upstream's order: read all, then look at what goes together
    _refuse("ListOptions", _watch_problems(options) if watch else _list_problems(options))
    return options


def get_options(query: Query) -> Options:
    """Read what a get is asked for."""
    return Options(resource_version=query.text("resourceVersion"))


def write_options(query: Query, kind: str) -> Options:
    """Read what a create, update or patch is asked for.

    Args:
        query: the parameters.
        kind: CreateOptions, UpdateOptions or PatchOptions, for the complaint.

    Raises:
        StatusError: 422.
    """
    manager = query.text("fieldManager")
    problems = []
    if kind == "PatchOptions" and query.text("force"):
        problems.append(field_forbidden("force", "may not be specified for non-apply patch"))
    problems += _manager_problems(manager)
    problems += _dry_run_problems(query.texts("dryRun"))
    validation = query.text("fieldValidation")
    if validation not in _VALIDATION:
        problems.append(field_not_supported("fieldValidation", validation, sorted(_VALIDATION)))
    _refuse(kind, problems)
    return Options(
        dry_run=bool(query.texts("dryRun")),
        field_manager=manager,
        field_validation=_VALIDATION[validation],
    )


def delete_options(query: Query, body: Mapping[str, Any]) -> Options:
    """Read what a delete is asked for: from its body, or without one from the parameters.

    Raises:
        StatusError: 400 or 422.
    """
    given = _DeleteOptions.of_body(body) if body else _DeleteOptions.of_query(query)
    _refuse("DeleteOptions", _dry_run_problems(given.dry_run or ()))
    preconditions = given.preconditions or _Preconditions()
    return Options(
        dry_run=bool(given.dry_run),
        grace_period_seconds=given.grace_period_seconds,
        propagation_policy=given.propagation_policy,
        orphan_dependents=given.orphan_dependents,
        precondition_uid=preconditions.uid,
        precondition_resource_version=preconditions.resource_version,
    )


class _Preconditions(msgspec.Struct, frozen=True, rename="camel"):
    uid: str | None = None
    resource_version: str | None = None


class _DeleteOptions(msgspec.Struct, frozen=True, rename="camel"):
    grace_period_seconds: int | None = None
    orphan_dependents: bool | None = None
    propagation_policy: str | None = None
    dry_run: list[str] | None = None
    preconditions: _Preconditions | None = None

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> _DeleteOptions:
        kind = body.get("kind", "DeleteOptions")
        if kind != "DeleteOptions":
            raise bad_request(f"decoded object cannot be converted to DeleteOptions: {kind}")
        try:
            return msgspec.convert(body, cls)
        except msgspec.ValidationError as error:
            raise bad_request(f"json: cannot unmarshal DeleteOptions: {error}") from None

    @classmethod
    def of_query(cls, query: Query) -> _DeleteOptions:
        return cls(
            query.integer("gracePeriodSeconds"),
            query.optional_flag("orphanDependents"),
            query.text("propagationPolicy") or None,
            list(query.texts("dryRun")),
        )


def _refuse(kind: str, problems: Sequence[FieldError]) -> None:
    if problems:
        raise invalid(GroupKind("meta.k8s.io", kind), "", problems)


def _dry_run_problems(values: Sequence[str]) -> list[FieldError]:
    if all(value == "All" for value in values):
        return []
    return [field_not_supported("dryRun", list(values), ["All"])]


def _manager_problems(manager: str) -> list[FieldError]:
    problems = []
    if len(manager.encode()) > MAX_MANAGER_BYTES:
        problems.append(field_too_long("fieldManager", MAX_MANAGER_BYTES))
    for position, character in enumerate(manager):
        if not character.isprintable():
            words = f"invalid character U+{ord(character):04X} (at position {position})"
            problems.append(field_invalid("fieldManager", manager, words))
    return problems


def _list_problems(options: Options) -> list[FieldError]:
    problems = []
    match = options.resource_version_match
    if match:
        where = "resourceVersionMatch"
        if not options.resource_version:
            words = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            problems.append(field_forbidden(where, words))
        if options.continue_token:
            words = "resourceVersionMatch is forbidden when continue is provided"
            problems.append(field_forbidden(where, words))
        if match not in ("Exact", "NotOlderThan"):
            problems.append(field_not_supported(where, match, ["Exact", "NotOlderThan", ""]))
        if match == "Exact" and options.resource_version == "0":
            words = 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'
            problems.append(field_forbidden(where, words))
    if options.send_initial_events is not None:
        words = "sendInitialEvents is forbidden for list"
        problems.append(field_forbidden("sendInitialEvents", words))
    return problems


def _watch_problems(options: Options) -> list[FieldError]:
    problems = []
    match = options.resource_version_match
    where = "resourceVersionMatch"
    wants_state = options.send_initial_events is not None
    if wants_state and match != "NotOlderThan":
        words = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        problems.append(field_forbidden(where, words))
    if match:
        if not wants_state:
            words = (
                "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
            )
            problems.append(field_forbidden(where, words))
        if match != "NotOlderThan":
            problems.append(field_not_supported(where, match, ["NotOlderThan"]))
        if options.continue_token:
            words = "resourceVersionMatch is forbidden when continue is provided"
            problems.append(field_forbidden(where, words))
    return problems


def selecting(options: Options, query: Query) -> Options:
    """Add to the options of a deletecollection what it is to delete."""
    chosen = list_options(query, watch=False)
    return msgspec.structs.replace(
        options,
        label_selector=chosen.label_selector,
        field_selector=chosen.field_selector,
        limit=chosen.limit,
        continue_token=chosen.continue_token,
        resource_version=chosen.resource_version,
        resource_version_match=chosen.resource_version_match,
    )


def wants_pretty(query: Query, user_agent: str) -> bool:
    """Say whether JSON is for people: asked for, or by default of the tools that they use.

    Source: kubernetes v1.36 k8s.io/apiserver/pkg/endpoints/handlers/negotiation/negotiate.go.
    """
    asked = query.text("pretty")
    if asked:
        return asked.lower() in ("1", "t", "true")
    return user_agent.startswith(("curl", "Wget", "Mozilla/5.0"))
