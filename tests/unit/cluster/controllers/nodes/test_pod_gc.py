"""Pods of nodes that are gone."""

from __future__ import annotations

from pilotfish.cluster.kinds import NODES, PODS
from unit.cluster.controllers.world import World


def test_pod_of_a_node_that_is_gone_vanishes_after_the_quarantine() -> None:
    world = World()
    world.add_node("n")
    world.add_pod("p", node="n")
    world.settle()
    world.delete(NODES, "n")
    world.advance(39)
    assert world.names(PODS) == ["p"]
    world.advance(2)
    assert world.names(PODS) == []


def test_pod_stays_when_its_node_comes_back_in_time() -> None:
    world = World()
    world.add_node("n")
    world.add_pod("p", node="n", tolerations=[{"operator": "Exists", "effect": "NoExecute"}])
    world.delete(NODES, "n")
    world.advance(20)
    world.create(NODES, {"metadata": {"name": "n"}, "spec": {}})
    world.set_node("n", "True")
    world.advance(60)
    assert world.names(PODS) == ["p"]
