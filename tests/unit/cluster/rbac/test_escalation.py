"""Grants beyond what one holds, at the cluster scope; the contract has those in a namespace."""

from typing import Any

import pytest

from pilotfish.cluster.requests import User
from policies import GROUP, binding, cluster_role, path_rule, rule
from unit.cluster.registry.api import Api

ADA = User("ada", ("system:authenticated",))
EVERYTHING = (rule("*", "*", groups="*"), path_rule("*", "*"))
AGGREGATE = cluster_role("sum", aggregates=[{"part": "yes"}])


def given(*rules: Any) -> Api:
    """Make a cluster in which ada may write cluster roles, and has these permissions besides."""
    api = Api()
    api.create("clusterroles", cluster_role("ada", *rules))
    writes = rule("create,update,patch", "clusterroles,clusterrolebindings", groups=GROUP)
    api.create("clusterroles", cluster_role("writer", writes))
    for name in ("ada", "writer"):
        api.create("clusterrolebindings", binding(name, f"ClusterRole/{name}", "User/ada"))
    return api


def refusal(answer: dict[str, Any]) -> str:
    """Give the message of a refusal, or nothing."""
    return str(answer.get("message", ""))


def test_paths_are_granted_by_who_holds_them() -> None:
    api = given(path_rule("get", "/x/*"))
    wanted = cluster_role("paths", path_rule("get", "/x/y", "/z"))
    assert refusal(api.create("clusterroles", wanted, user=ADA)) == (
        f'clusterroles.{GROUP} "paths" is forbidden: user "ada" (groups=["system:authenticated"]) '
        "is attempting to grant RBAC permissions not currently held:\n"
        '{NonResourceURLs:["/z"], Verbs:["get"]}'
    )


@pytest.mark.parametrize(("rules", "may"), [((), False), (EVERYTHING, True)])
def test_aggregation_is_for_who_holds_everything(rules: tuple[Any, ...], *, may: bool) -> None:
    told = refusal(given(*rules).create("clusterroles", AGGREGATE, user=ADA))
    assert (
        told == "" if may else told.endswith("cluster-admin privileges to use the aggregationRule")
    )


def test_role_is_changed_in_its_owners_by_who_does_not_hold_it() -> None:
    api = given()
    api.create("clusterroles", cluster_role("other", rule("get", "pods")))
    owned = {"metadata": {"finalizers": ["example.com/hold"]}}
    assert not refusal(api.merge("clusterroles", "other", owned, user=ADA))
    labelled = {"metadata": {"labels": {"a": "b"}}}
    assert "not currently held" in refusal(api.merge("clusterroles", "other", labelled, user=ADA))


def test_who_may_escalate_grants_what_they_do_not_hold() -> None:
    api = given(rule("escalate", "clusterroles", groups=GROUP))
    assert not refusal(api.create("clusterroles", cluster_role("big", *EVERYTHING), user=ADA))


def test_roles_that_are_missing_are_named_in_the_refusal() -> None:
    api = given()
    api.create("clusterrolebindings", binding("lost", "ClusterRole/lost", "User/ada"))
    told = refusal(api.create("clusterroles", cluster_role("big", *EVERYTHING), user=ADA))
    assert told.endswith(f'; resolution errors: [clusterrole.{GROUP} "lost" not found]')
