"""Which pods the services and the controller of a pod select."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

import make
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import ReplicaSet, ReplicationController, Service, StatefulSet
from pilotfish.cache.workloads import Workload, Workloads

NOTHING = LabelSelector()
CONTROLLERS = {
    "ReplicationController": "v1",
    "ReplicaSet": "apps/v1",
    "StatefulSet": "apps/v1",
}


def made(
    kind: type[Workload], name: str, selector: Any, *, namespace: str = "default", uid: str = ""
) -> Workload:
    meta = {"name": name, "namespace": namespace, "uid": uid or f"uid-{name}"}
    return msgspec.convert({"metadata": meta, "spec": {"selector": selector}}, kind)


def known(*workloads: Workload) -> Workloads:
    found = Workloads()
    for one in workloads:
        found.set(one)
    return found


def owned(kind: str, name: str = "w", api_version: str | None = None, **rest: Any) -> Pod:
    owner = {
        "kind": kind,
        "name": name,
        "apiVersion": api_version or CONTROLLERS[kind],
        "uid": "another",
        "controller": True,
    }
    return make.pod("p", labels={"app": "web"}, metadata={"ownerReferences": [owner], **rest})


def selects(found: Workloads, pod: Pod, **labels: str) -> bool:
    return found.default_selector(pod).matches(labels)


def test_services_that_select_the_pod_add_up() -> None:
    pod = make.pod("p", labels={"app": "web", "tier": "front", "rev": "2"})
    found = known(
        made(Service, "a", {"app": "web"}),
        made(Service, "b", {"tier": "front"}),
        made(Service, "c", {"app": "api"}),
        made(Service, "d", {"rev": "2"}, namespace="other"),
        made(Service, "e", {}),
    )
    assert found.default_selector(pod) == LabelSelector({"app": "web", "tier": "front"})


def test_pod_of_nobody_has_the_empty_selector() -> None:
    found = known(made(Service, "a", {"app": "web"}))
    assert found.default_selector(make.pod("p")) == NOTHING


@pytest.mark.parametrize("kind", [ReplicaSet, StatefulSet])
def test_controller_is_found_by_kind_and_name_whatever_its_uid(kind: type[Workload]) -> None:
    expression = {"key": "tier", "operator": "Exists"}
    selector = {"matchLabels": {"app": "web"}, "matchExpressions": [expression]}
    found = known(made(kind, "w", selector))
    pod = owned(kind.__name__)
    assert selects(found, pod, app="web", tier="x")
    assert not selects(found, pod, app="web")
    assert not selects(found, pod, tier="x")


def test_service_and_replica_set_must_both_select() -> None:
    found = known(
        made(Service, "s", {"app": "web"}),
        made(ReplicaSet, "w", {"matchLabels": {"app": "api"}}),
    )
    assert not selects(found, owned("ReplicaSet"), app="web")
    assert not selects(found, owned("ReplicaSet"), app="api")


def test_replication_controller_overrides_the_service() -> None:
    """Upstream merges the two maps."""
    found = known(
        made(Service, "s", {"app": "web"}), made(ReplicationController, "w", {"app": "api"})
    )
    assert selects(found, owned("ReplicationController"), app="api")


@pytest.mark.parametrize(
    "pod",
    [
        owned("ReplicaSet", name="another"),
        owned("ReplicaSet", api_version="extensions/v1beta1"),
        owned("ReplicaSet", namespace="other"),
        owned("StatefulSet"),
        make.pod("p", metadata={"ownerReferences": [{"kind": "ReplicaSet", "name": "w"}]}),
    ],
    ids=["name", "apiVersion", "namespace", "kind", "no controller"],
)
def test_other_owners_select_nothing(pod: Pod) -> None:
    found = known(made(ReplicaSet, "w", {"matchLabels": {"app": "web"}}))
    assert found.default_selector(pod) == NOTHING


def test_replica_set_without_a_selector_adds_nothing() -> None:
    found = known(made(ReplicaSet, "w", None))
    assert found.default_selector(owned("ReplicaSet")) == NOTHING


def test_change_and_end_of_a_service_are_followed() -> None:
    pod = make.pod("p", labels={"app": "web", "rev": "2"})
    found = known(made(Service, "s", {"app": "web"}))
    found.set(made(Service, "s", {"rev": "2"}))
    assert found.default_selector(pod) == LabelSelector({"rev": "2"})
    found.remove("uid-s")
    found.remove("uid-s")
    assert found.default_selector(pod) == NOTHING


def test_new_controller_of_an_old_name_outlives_the_old_one() -> None:
    found = known(
        made(ReplicaSet, "w", {"matchLabels": {"app": "old"}}, uid="1"),
        made(ReplicaSet, "w", {"matchLabels": {"app": "new"}}, uid="2"),
    )
    found.remove("1")
    assert selects(found, owned("ReplicaSet"), app="new")
    found.remove("2")
    assert found.default_selector(owned("ReplicaSet")) == NOTHING
