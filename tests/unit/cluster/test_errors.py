"""Refusals read as those of kube-apiserver v1.36.3, whose answers these expectations are."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.cluster.errors import (
    Cause,
    GroupResource,
    StatusError,
    already_exists,
    bad_request,
    conflict,
    expired,
    forbidden,
    internal_error,
    invalid,
    method_not_allowed,
    name_not_generated,
    no_such_path,
    not_acceptable,
    not_found,
    not_implemented,
    timeout,
    too_large,
    too_many_requests,
    unauthorized,
    unavailable,
    unsupported_media_type,
)
from pilotfish.cluster.field_errors import field_invalid, field_required
from pilotfish.cluster.resources import TABLE

NEXT = "abc"
DEPLOYMENTS = GroupResource("apps", "deployments")
PODS = GroupResource("", "pods")
EVENTS = TABLE.get("events.k8s.io", "v1", "events")
assert EVENTS is not None
POD_KIND = TABLE.of_kind("v1", "Pod")
assert POD_KIND is not None


def status(code: int, reason: str, message: str, **further: Any) -> dict[str, Any]:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
        **further,
    }


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            not_found(DEPLOYMENTS, "x"),
            status(
                404,
                "NotFound",
                'deployments.apps "x" not found',
                details={"name": "x", "group": "apps", "kind": "deployments"},
            ),
        ),
        (
            not_found(EVENTS, "x"),
            status(
                404,
                "NotFound",
                'events.events.k8s.io "x" not found',
                details={"name": "x", "group": "events.k8s.io", "kind": "events"},
            ),
        ),
        (
            no_such_path(),
            status(404, "NotFound", "the server could not find the requested resource", details={}),
        ),
        (
            method_not_allowed(),
            status(
                405,
                "MethodNotAllowed",
                "the server does not allow this method on the requested resource",
                details={},
            ),
        ),
        (
            already_exists(PODS, "x"),
            status(
                409,
                "AlreadyExists",
                'pods "x" already exists',
                details={"name": "x", "kind": "pods"},
            ),
        ),
        (
            name_not_generated(PODS, "x"),
            status(
                409,
                "AlreadyExists",
                'pods "x" already exists, the server was not able to generate a unique name for'
                " the object",
                details={"name": "x", "kind": "pods", "retryAfterSeconds": 1},
            ),
        ),
        (
            conflict(PODS, "x"),
            status(
                409,
                "Conflict",
                'Operation cannot be fulfilled on pods "x": the object has been modified; please'
                " apply your changes to the latest version and try again",
                details={"name": "x", "kind": "pods"},
            ),
        ),
        (
            forbidden(PODS, "", "no"),
            status(403, "Forbidden", "pods is forbidden: no", details={"kind": "pods"}),
        ),
        (
            forbidden(DEPLOYMENTS, "x", "no"),
            status(
                403,
                "Forbidden",
                'deployments.apps "x" is forbidden: no',
                details={"name": "x", "group": "apps", "kind": "deployments"},
            ),
        ),
        (forbidden(None, "", "no"), status(403, "Forbidden", "forbidden: no", details={})),
        (bad_request("no"), status(400, "BadRequest", "no")),
        (unauthorized(), status(401, "Unauthorized", "Unauthorized")),
        (expired("old"), status(410, "Expired", "old")),
        (
            expired("old", continue_token=NEXT),
            status(410, "Expired", "old", metadata={"continue": NEXT}),
        ),
        (
            too_large("limit is 3145728"),
            status(413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"),
        ),
        (
            unsupported_media_type(["application/json", "application/yaml"]),
            status(
                415,
                "UnsupportedMediaType",
                "the body of the request was in an unknown format - accepted media types include:"
                " application/json, application/yaml",
            ),
        ),
        (
            not_acceptable(["application/json"]),
            status(
                406,
                "NotAcceptable",
                "406: Not Acceptable\n\nAvailable representations: application/json",
                details={},
            ),
        ),
        (
            too_many_requests("later", causes=[Cause("DisruptionBudget", "no")]),
            status(
                429,
                "TooManyRequests",
                "later",
                details={"causes": [{"reason": "DisruptionBudget", "message": "no"}]},
            ),
        ),
        (
            internal_error("oops"),
            status(
                500,
                "InternalError",
                "Internal error occurred: oops",
                details={"causes": [{"message": "oops"}]},
            ),
        ),
        (not_implemented("no exec"), status(501, "NotImplemented", "no exec")),
        (unavailable("starting"), status(503, "ServiceUnavailable", "starting")),
        (
            timeout("slow", retry_after_seconds=2),
            status(504, "Timeout", "Timeout: slow", details={"retryAfterSeconds": 2}),
        ),
        (
            invalid(POD_KIND, "x", [field_required("spec.containers")]),
            status(
                422,
                "Invalid",
                'Pod "x" is invalid: spec.containers: Required value',
                details={
                    "name": "x",
                    "kind": "Pod",
                    "causes": [
                        {
                            "reason": "FieldValueRequired",
                            "message": "Required value",
                            "field": "spec.containers",
                        }
                    ],
                },
            ),
        ),
    ],
    ids=lambda value: value.reason if isinstance(value, StatusError) else "",
)
def test_a_refusal_is_upstreams_status(error: StatusError, expected: dict[str, Any]) -> None:
    assert error.status() == expected
    assert list(error.status())[:5] == ["kind", "apiVersion", "metadata", "status", "message"]


def test_several_field_errors_are_listed_and_the_same_one_is_said_once() -> None:
    deployment = TABLE.of_kind("apps/v1", "Deployment")
    assert deployment is not None
    wrong = field_invalid("spec.replicas", -1, "must be greater than or equal to 0")
    error = invalid(deployment, "x", [wrong, wrong, field_required("spec.selector")])
    assert error.message == (
        'Deployment.apps "x" is invalid: [spec.replicas: Invalid value: -1: must be greater than'
        " or equal to 0, spec.selector: Required value]"
    )
    assert [cause.field for cause in error.causes] == [
        "spec.replicas",
        "spec.replicas",
        "spec.selector",
    ]


def test_an_error_without_details_has_no_causes_and_no_hint_when_to_return() -> None:
    error = bad_request("no")
    assert (error.causes, error.retry_after_seconds) == ((), 0)
    assert str(error) == "no"


def test_an_error_without_a_reason_says_none() -> None:
    assert "reason" not in StatusError(500, "", "resourceVersion should not be set").status()
