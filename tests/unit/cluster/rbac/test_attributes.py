from typing import Any

import pytest

from pilotfish.cluster.rbac.attributes import forbidden, request_attributes
from pilotfish.cluster.requests import ApiRequest, Options, Verb
from pilotfish.cluster.resources import TABLE
from policies import ask, ask_path, user

X = user("x")


def attributes(verb: Verb, plural: str, *, selector: str = "", **rest: Any) -> Any:
    """Give what a core request is authorized by."""
    resource = TABLE.get("", "v1", plural)
    assert resource is not None
    options = Options(field_selector=selector)
    return request_attributes(
        ApiRequest(verb=verb, resource=resource, user=X, options=options, **rest)
    )


def test_refusal_in_a_namespace_reads_as_upstreams() -> None:
    error = forbidden(X, ask("list", "pods", namespace="default"), "")
    assert error.status() == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'pods is forbidden: User "x" cannot list resource "pods" in API group "" '
        'in the namespace "default"',
        "reason": "Forbidden",
        "details": {"kind": "pods"},
        "code": 403,
    }


def test_refusal_at_the_cluster_scope_names_the_group_and_the_reason() -> None:
    missing = 'RBAC: clusterrole.rbac.authorization.k8s.io "r" not found'
    error = forbidden(X, ask("list", "deployments", group="apps"), missing)
    assert error.message == (
        'deployments.apps is forbidden: User "x" cannot list resource "deployments" in API group '
        f'"apps" at the cluster scope: {missing}'
    )
    assert error.details is not None
    assert (error.details.group, error.details.kind) == ("apps", "deployments")


def test_refusal_of_a_subresource_names_the_object_and_the_subresource() -> None:
    error = forbidden(X, ask("create", "pods/binding", namespace="a", name="p"), "")
    assert error.message == (
        'pods "p" is forbidden: User "x" cannot create resource "pods/binding" in API group "" '
        'in the namespace "a"'
    )


def test_refusal_of_a_path_has_no_resource() -> None:
    error = forbidden(X, ask_path("get", "/metrics"), "")
    assert error.message == 'forbidden: User "x" cannot get path "/metrics"'
    assert error.status()["details"] == {}


def test_refusal_never_looks_like_html() -> None:
    error = forbidden(user("<b>&"), ask_path("get", "/"), "")
    assert error.message == 'forbidden: User "&lt;b&gt;&amp;" cannot get path "/"'


@pytest.mark.parametrize(
    ("selector", "name"),
    [
        ("metadata.name=a", "a"),
        ("spec.nodeName=n,metadata.name=a", "a"),
        ("metadata.name!=a", ""),
        ("metadata.name=a/b", ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_list_of_one_name_is_authorized_as_of_that_name(selector: str, name: str) -> None:
    assert attributes("list", "pods", selector=selector).name == name
    assert attributes("watch", "pods", selector=selector).name == name


def test_namespace_lies_in_itself() -> None:
    found = attributes("get", "namespaces", name="a")
    assert (found.namespace, found.name) == ("a", "a")
    assert attributes("list", "namespaces").namespace == ""


def test_create_is_authorized_without_the_name_unless_it_is_of_a_subresource() -> None:
    assert attributes("create", "pods", namespace="a", name="p").name == ""
    bound = attributes("create", "pods", namespace="a", name="p", subresource="binding")
    assert (bound.name, bound.qualified) == ("p", "pods/binding")
