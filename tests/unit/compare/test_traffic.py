from __future__ import annotations

import pytest

from pilotfish.compare.traffic import request_of

POD = "/api/v1/namespaces/default/pods/a"


@pytest.mark.parametrize(
    ("method", "path", "query", "request_name"),
    [
        ("GET", "/api/v1/pods", {}, "list pods"),
        ("GET", "/api/v1/namespaces/default/pods", {"limit": "500"}, "list pods"),
        ("GET", "/api/v1/nodes", {"watch": "true"}, "watch nodes"),
        ("GET", "/api/v1/nodes", {"watch": "True"}, "watch nodes"),
        ("GET", "/api/v1/nodes", {"watch": "0"}, "list nodes"),
        ("GET", POD, {}, "get pods"),
        ("POST", f"{POD}/binding", {}, "create pods/binding"),
        ("POST", "/api/v1/namespaces/default/bindings", {}, "create bindings"),
        ("PATCH", f"{POD}/status", {}, "patch pods/status"),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", {}, "update leases"),
        ("DELETE", POD, {}, "delete pods"),
        ("DELETE", "/api/v1/namespaces/default/pods", {}, "deletecollection pods"),
        ("GET", "/version", {}, "get /version"),
        ("GET", "/apis/apps/v1", {}, "get /apis/apps/v1"),
    ],
)
def test_requests_are_named_as_audit_logs_do(
    method: str, path: str, query: dict[str, str], request_name: str
) -> None:
    assert request_of(method, path, query) == request_name
