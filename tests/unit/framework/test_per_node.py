"""The adapter for plugins that look at one node at a time."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import make
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import (
    ClusterEvent,
    EnabledPlugin,
    NodeInfo,
    NodeTable,
    PerNodePlugin,
    Plugin,
    PluginError,
    Pod,
    Profile,
    Reject,
    Rejection,
    most_is_best,
)
from pilotfish.framework.plugin import implements
from pilotfish.plugins.priority_sort import PrioritySort

POD = make.pod("p")


class ByZone(PerNodePlugin):
    """Rejects zones by their letter; remembers whom it was asked about."""

    name = "ByZone"
    requeue_on = frozenset({ClusterEvent.NODE_LABELS_CHANGED})

    def __init__(self) -> None:
        self.asked: list[str] = []

    def filter_node(self, _pod: Pod, node: NodeInfo) -> Rejection | None:
        """Reject all zones but c."""
        self.asked.append(node.name)
        zone = node.labels[make.ZONE_LABEL]
        return None if zone == "c" else Rejection(f"zone {zone}", resolvable=zone == "a")


class Numbered(PerNodePlugin):
    """Scores a node with the number in its name."""

    name = "Numbered"

    def score_node(self, _pod: Pod, node: NodeInfo) -> int:
        """Read the number."""
        return int(node.name[1:])


class Scaled(Numbered):
    """The same, scaled."""

    normalize = staticmethod(most_is_best)


class NotThird(Plugin):
    """Rejects the third node."""

    name = "NotThird"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED})

    def filter(self, nodes: NodeTable) -> Iterator[Reject]:
        """Reject it."""
        yield Reject(np.arange(len(nodes)) == 2, "third")


def cluster(zones: str) -> ClusterCache:
    cache = ClusterCache()
    for i, zone in enumerate(zones, start=1):
        cache.set_node(make.node(f"n{i}", zone=zone))
    return cache


def profile(*plugins: Plugin) -> Profile:
    return Profile("p", [EnabledPlugin(one) for one in (PrioritySort(), *plugins)])


def test_rejections_are_gathered_by_reason() -> None:
    filtered = profile(ByZone()).filter(POD, cluster("abacb"))
    assert np.flatnonzero(filtered.feasible).tolist() == [3]
    told = [
        (one.reason, one.resolvable, np.flatnonzero(one.mask).tolist())
        for one in filtered.rejections
        if one.mask is not None
    ]
    assert told == [("zone a", True, [0, 2]), ("zone b", False, [1, 4])]


def test_only_nodes_that_are_still_alive_are_asked_about() -> None:
    plugin = ByZone()
    profile(NotThird(), plugin).filter(POD, cluster("cccc"))
    assert plugin.asked == ["n1", "n2", "n4"]


def test_numbers_are_taken_as_they_are_without_normalize() -> None:
    table = cluster("abc")
    plain = profile(Numbered())
    scored = plain.score(POD, table, plain.filter(POD, table))
    assert scored.total.tolist() == [1, 2, 3]


def test_numbers_are_normalised_over_the_feasible_nodes() -> None:
    table = cluster("abcd")
    scaled = profile(NotThird(), Scaled())
    scored = scaled.score(POD, table, scaled.filter(POD, table))
    assert scored.total[[0, 1, 3]].tolist() == [25, 50, 100]


def test_plugin_implements_only_the_points_it_has_a_method_for() -> None:
    points = ("filter", "score")
    assert [implements(ByZone(), point) for point in points] == [True, False]
    assert [implements(Scaled(), point) for point in points] == [False, True]


@pytest.mark.parametrize("score", [1.5, "7", None])
def test_score_that_is_no_int_is_an_error_that_names_the_node(score: Any) -> None:
    class Loose(PerNodePlugin):
        """Gives what it was told."""

        name = "Loose"

        def score_node(self, _pod: Pod, _node: NodeInfo) -> int:
            """Give it."""
            result: int = score
            return result

    asked = profile(Loose())
    with pytest.raises(PluginError, match=r"score_node returned .* for node n1, not an int"):
        asked.score(POD, cluster("ab"), asked.filter(POD, cluster("ab")))


def test_answer_of_a_filter_that_is_no_rejection_is_an_error_that_names_the_node() -> None:
    class Boolean(PerNodePlugin):
        """Says yes and no, as filters elsewhere do."""

        name = "Boolean"
        requeue_on = frozenset({ClusterEvent.NODE_ADDED})

        def filter_node(self, _pod: Pod, node: NodeInfo) -> Any:
            """Take the first."""
            return node.name == "n1"

    with pytest.raises(PluginError, match="filter_node returned True for node n1, not a Rej"):
        profile(Boolean()).filter(POD, cluster("ab"))


def test_method_of_a_mixin_counts() -> None:
    class Mixin:
        """Has the method, and is no plugin."""

        def score_node(self, _pod: Pod, _node: NodeInfo) -> int:
            """Give a constant."""
            return 5

    class Mixed(Mixin, PerNodePlugin):
        """Has it from the mixin."""

        name = "Mixed"

    assert implements(Mixed(), "score")
