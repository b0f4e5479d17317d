"""What every namespace has, and how one goes."""

from __future__ import annotations

from pilotfish.cluster.conditions import find_condition
from pilotfish.cluster.kinds import (
    CONFIG_MAPS,
    DEPLOYMENTS,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
)
from unit.cluster.controllers.world import World, workload


def test_new_namespace_gets_its_service_account_and_the_root_ca() -> None:
    world = World()
    world.enter("team")
    world.settle()
    assert world.names(SERVICE_ACCOUNTS) == ["default"]
    assert world.get(CONFIG_MAPS, "kube-root-ca.crt")["data"] == {"ca.crt": "the CA"}


def test_both_come_back_when_they_are_deleted_or_changed() -> None:
    world = World()
    world.enter("team")
    world.delete(SERVICE_ACCOUNTS, "default")
    world.change(CONFIG_MAPS, "kube-root-ca.crt", lambda c: c.update(data={"ca.crt": "forged"}))
    world.settle()
    assert world.names(SERVICE_ACCOUNTS) == ["default"]
    assert world.get(CONFIG_MAPS, "kube-root-ca.crt")["data"] == {"ca.crt": "the CA"}


def test_deleted_namespace_goes_with_all_that_is_in_it() -> None:
    world = World()
    world.enter("team")
    world.create(DEPLOYMENTS, workload("web", replicas=3))
    world.advance(1, world.run_pods)
    world.delete(NAMESPACES, "team")
    world.advance(5, world.run_pods)
    kinds = (DEPLOYMENTS, PODS, SERVICE_ACCOUNTS, CONFIG_MAPS)
    assert [world.names(kind) for kind in kinds] == [[]] * 4
    assert world.find(NAMESPACES, "team") is None


def test_deleted_namespace_goes_with_what_only_speaks_of_a_deletion() -> None:
    world = World()
    world.enter("team")
    told = {"metadata": {"name": "told"}, "data": {"deletionTimestamp": "never"}}
    world.create(CONFIG_MAPS, told)
    world.delete(NAMESPACES, "team")
    world.advance(1)
    assert world.find(NAMESPACES, "team") is None


def test_namespace_of_every_cluster_comes_back() -> None:
    world = World()
    world.settle()
    uid = world.get(NAMESPACES, "kube-node-lease")["metadata"]["uid"]
    world.delete(NAMESPACES, "kube-node-lease")
    world.advance(1)
    assert world.get(NAMESPACES, "kube-node-lease")["metadata"]["uid"] != uid


def test_namespace_tells_what_it_waits_for() -> None:
    world = World()
    world.enter("team")
    metadata = {"name": "stuck", "finalizers": ["test/hold"]}
    world.create(CONFIG_MAPS, {"metadata": metadata})
    world.delete(NAMESPACES, "team")
    world.advance(1)
    namespace = world.get(NAMESPACES, "team")
    assert namespace["status"]["phase"] == "Terminating"
    content = find_condition(namespace["status"], "NamespaceContentRemaining")
    finalizers = find_condition(namespace["status"], "NamespaceFinalizersRemaining")
    assert content is not None
    assert finalizers is not None
    assert content["message"] == (
        "Some resources are remaining: configmaps. has 1 resource instances"
    )
    assert finalizers["message"] == (
        "Some content in the namespace has finalizers remaining: test/hold in 1 resource instances"
    )
    world.change(CONFIG_MAPS, "stuck", lambda c: c["metadata"].pop("finalizers"))
    world.advance(1)
    assert world.find(NAMESPACES, "team") is None
