"""A sample of the nodes is the one that kube-scheduler's search finds with one worker."""

from __future__ import annotations

import random
from collections.abc import Container

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import make
from pilotfish.api.pod import Pod
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cache.node_tree import NodeTree
from pilotfish.core.node_search import NodeSearch
from pilotfish.framework import EnabledPlugin, NodeInfo, PerNodePlugin, Profile, Rejection
from pilotfish.framework.events import ClusterEvent
from pilotfish.plugins.priority_sort import PrioritySort

zones = st.sampled_from([None, "a", "b", "c"])
changes = st.lists(st.tuples(st.sampled_from(["n0", "n1", "n2", "n3"]), zones, st.booleans()))


class Only(PerNodePlugin):
    """Let a pod onto the nodes that its labels name."""

    name = "Only"
    requeue_on = frozenset({ClusterEvent.WILDCARD})

    def filter_node(self, pod: Pod, node: NodeInfo) -> Rejection | None:
        """Ask about one node."""
        return None if node.name in pod.labels else Rejection("not this one")


class Scoring(Only):
    """The same, with a score."""

    def score_node(self, _pod: Pod, _node: NodeInfo) -> int:
        """Score every node alike."""
        return 0


class Sequential:
    """The search, node by node."""

    def __init__(self) -> None:
        self.next_start = 0

    def found(self, order: list[str], feasible: Container[str], wanted: int) -> list[set[str]]:
        """Return the nodes that are found, and those that are rejected on the way."""
        found, rejected = set[str](), set[str]()
        for i in range(len(order)):
            name = order[(self.next_start + i) % len(order)]
            if name not in feasible:
                rejected.add(name)
            elif len(found) == wanted:
                break
            else:
                found.add(name)
        self.next_start = (self.next_start + len(found) + len(rejected)) % len(order)
        return [found, rejected]


@settings(max_examples=15)
@given(
    st.integers(99, 260),
    st.integers(1, 99),
    st.sampled_from([Only(), Scoring()]),
    st.randoms(use_true_random=False),
)
def test_sample_is_that_of_a_search_node_by_node(
    count: int, percentage: int, plugin: Only, rng: random.Random
) -> None:
    cache, tree = ClusterCache(), NodeTree()
    for i in range(count):
        node = make.node(f"n{i}", zone=rng.choice("abc"))
        cache.set_node(node)
        tree.set(node.name, node.labels)
    plugins = [EnabledPlugin(PrioritySort()), EnabledPlugin(plugin)]
    profile = Profile("p", plugins, percentage_of_nodes_to_score=percentage)
    wanted = count if count < 100 else max(count * percentage // 100, 100)
    twin, search = Sequential(), NodeSearch()
    for _ in range(4):
        share = rng.choice([0.1, 0.9, 1.0])
        pod = make.pod("p", labels={f"n{i}": "" for i in range(count) if rng.random() < share})
        enough = wanted if isinstance(plugin, Scoring) else 1
        found = search.found(pod, profile, cache, profile.filter(pod, cache))
        masks = [found.feasible, *(one.mask for one in found.rejections if one.mask is not None)]
        ours = [{cache.nodes.names[row] for row in np.flatnonzero(mask)} for mask in masks]
        assert [*ours, set()][:2] == twin.found(list(tree.names()), pod.labels, enough)


@settings(max_examples=100)
@given(changes)
def test_zones_take_turns_after_any_history_of_nodes(
    history: list[tuple[str, str | None, bool]],
) -> None:
    tree, zoned = NodeTree(), list[tuple[str | None, list[str]]]()
    for name, zone, is_there in history:
        old = next((z for z, nodes in zoned if name in nodes), "none")
        if not is_there or old != zone:
            zoned = [(z, [n for n in nodes if n != name]) for z, nodes in zoned]
            zoned = [(z, nodes) for z, nodes in zoned if nodes]
        if not is_there:
            tree.remove(name)
            continue
        tree.set(name, {make.ZONE_LABEL: zone} if zone else {})
        if old != zone:
            nodes = next((nodes for z, nodes in zoned if z == zone), None)
            if nodes is None:
                zoned.append((zone, [name]))
            else:
                nodes.append(name)
        names = tree.names()
        assert names == [
            nodes[turn] for turn in range(4) for _, nodes in zoned if turn < len(nodes)
        ]
        tree.check_invariants({name: row for row, name in enumerate(names)})
