"""What a plugin's answers are held to, where its mistakes are said to be, and how long it takes."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import pytest

import make
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import (
    ClusterEvent,
    EnabledPlugin,
    NodeSubset,
    NodeTable,
    Plugin,
    PluginError,
    Pod,
    Profile,
    Reject,
    Scores,
)
from pilotfish.plugins.priority_sort import PrioritySort

POD = make.pod("p")


class Answering(Plugin):
    """Answers `pre_filter` as it is told."""

    name = "Answering"
    requeue_on = frozenset({ClusterEvent.WILDCARD})

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def pre_filter(self) -> object:
        """Answer."""
        return self.answer


class Scoring(Plugin):
    """Returns the scores that it is given."""

    name = "Scoring"

    def __init__(self, *scores: int) -> None:
        self.scores = np.array(scores)

    def score(self) -> Scores:
        """Return them."""
        return self.scores


class Also(Scoring):
    """Another one."""

    name = "Also"


def cluster(nodes: int = 3) -> ClusterCache:
    cache = ClusterCache()
    for i in range(nodes):
        cache.set_node(make.node(f"n{i}"))
    return cache


def profile(*plugins: Plugin) -> Profile:
    return Profile("p", [EnabledPlugin(one) for one in (PrioritySort(), *plugins)])


def test_exception_in_a_plugin_names_the_line_that_raised() -> None:
    class Careless(Plugin):
        """Fails in a method of its own."""

        name = "Careless"

        def score(self, nodes: NodeTable) -> Scores:
            """Fail further down."""
            return self._deep(nodes)

        def _deep(self, _nodes: NodeTable) -> Scores:
            raise KeyError("gpu")

    asked = profile(Careless())
    with pytest.raises(PluginError) as caught:
        asked.score(POD, cluster(), asked.filter(POD, cluster()))
    line = Careless._deep.__code__.co_firstlineno + 1
    assert str(caught.value).endswith(f"KeyError: 'gpu' ({__file__}:{line})")


def test_broken_contract_names_the_line_where_the_method_begins() -> None:
    asked = profile(Scoring(0, 0, 101))
    with pytest.raises(PluginError) as caught:
        asked.score(POD, cluster(), asked.filter(POD, cluster()))
    line = Scoring.score.__code__.co_firstlineno
    assert str(caught.value).endswith(f"outside 0..100 ({__file__}:{line})")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (Reject(None, cast("str", 5)), "the reason of its rejection is 5, not a text"),
        (NodeSubset(cast("frozenset[str]", ["n0"])), "the names of its NodeSubset are"),
    ],
)
def test_answer_of_the_wrong_type_is_an_error_of_the_plugin(answer: object, problem: str) -> None:
    with pytest.raises(PluginError, match=f"'Answering' failed in pre_filter .*{problem}"):
        profile(Answering(answer)).filter(POD, cluster())


class Ordering(Plugin):
    """Sorts by what a label says."""

    name = "Ordering"

    def __init__(self, **keys: Any) -> None:
        self.keys = keys

    def sort_key(self, pod: Pod) -> tuple[Any, ...]:
        """Look it up."""
        key: tuple[Any, ...] = self.keys[pod.name]
        return key


def test_any_two_keys_of_an_order_compare() -> None:
    """Otherwise one policy's mistake would end the whole scheduler."""
    asked = Profile("p", [EnabledPlugin(Ordering(a=(1, "x"), b=("x", 1), c=(2,)))])
    keys = {name: asked.sort_key(make.pod(name), 0.0) for name in "bca"}
    assert sorted(keys, key=lambda name: keys[name]) == ["a", "c", "b"]


@pytest.mark.parametrize("key", [None, 5, [1], (None,), ((1, 2),)])
def test_key_that_is_no_tuple_of_numbers_and_texts_is_an_error(key: Any) -> None:
    asked = Profile("p", [EnabledPlugin(Ordering(a=key))])
    with pytest.raises(PluginError, match="not a tuple of numbers and texts"):
        asked.sort_key(make.pod("a"), 0.0)


def test_stopwatch_is_told_of_the_plugins_that_it_asks_for() -> None:
    class Counting:
        """Counts; each look at the clock is a second."""

        def __init__(self) -> None:
            self.now = 0.0
            self.told: list[tuple[str, float]] = []

        def clock(self) -> float:
            """Go on by a second."""
            self.now += 1
            return self.now

        def cycle(self, pod: str) -> None:
            """Note the pod."""
            self.told.append((pod, 0.0))

        def took(self, plugin: str, seconds: float) -> None:
            """Note it."""
            self.told.append((plugin, seconds))

    stopwatch = Counting()
    asked = profile(Answering(None), Also(1, 2, 3), Scoring(1, 2, 3))
    asked.time_by(stopwatch, {"Answering", "Scoring"})
    asked.score(POD, cluster(), asked.filter(POD, cluster()))
    assert stopwatch.told == [("default/p", 0.0), ("Answering", 1.0), ("Scoring", 1.0)]
