"""How a profile runs its plugins: order, short-circuits, states, and what it makes of mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import make
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import (
    SKIP,
    ClusterEvent,
    EnabledPlugin,
    Mask,
    NodeSubset,
    NodeTable,
    Plugin,
    PluginError,
    Pod,
    Profile,
    ProfileError,
    Reject,
    Scores,
)
from pilotfish.framework.profile_results import Filtered
from pilotfish.plugins.priority_sort import PrioritySort

POD = make.pod("p")
ANY_EVENT = frozenset({ClusterEvent.WILDCARD})


class First(Plugin):
    """Yields the rejections that it is given."""

    name = "First"
    requeue_on = ANY_EVENT

    def __init__(self, *rejects: Reject) -> None:
        self.rejects = rejects
        self.alive: list[bool] | None = None

    def filter(self, alive: Mask) -> Iterator[Reject]:
        """Yield them."""
        self.alive = alive.tolist()
        yield from self.rejects


class Second(First):
    """Another one."""

    name = "Second"


class Answering(Plugin):
    """Answers `pre_filter` and `pre_score` as it is told, and keeps the states it is given."""

    name = "Answering"
    requeue_on = ANY_EVENT

    def __init__(self, pre_filter: object = None, pre_score: object = None) -> None:
        self.answers = (pre_filter, pre_score)
        self.states: list[object] = []

    def pre_filter(self) -> object:
        """Answer."""
        return self.answers[0]

    def filter(self, state: object) -> Iterator[Reject]:
        """Reject nothing."""
        self.states.append(state)
        return iter(())

    def pre_score(self) -> object:
        """Answer."""
        return self.answers[1]

    def score(self, nodes: NodeTable, state: object) -> Scores:
        """Score nothing."""
        self.states.append(state)
        return np.zeros(len(nodes), dtype=np.int64)


class Also(Answering):
    """Another one."""

    name = "Also"


class Scoring(Plugin):
    """Returns the scores that it is given."""

    name = "Scoring"

    def __init__(self, scores: Any) -> None:
        self.scores = scores

    def score(self) -> Scores:
        """Return them."""
        scores: Scores = self.scores
        return scores


class Trusted(Scoring):
    """Its scores are proven elsewhere."""

    name = "Trusted"
    is_verified = True


def cluster(nodes: int = 3) -> ClusterCache:
    cache = ClusterCache()
    for i in range(nodes):
        cache.set_node(make.node(f"n{i}"))
    return cache


def profile(*plugins: Plugin, weight: int = 1) -> Profile:
    return Profile("p", [EnabledPlugin(one, weight) for one in (PrioritySort(), *plugins)])


def reject(rows: list[int], reason: str, *, nodes: int = 3) -> Reject:
    return Reject(np.isin(np.arange(nodes), rows), reason)


def told(filtered: Filtered) -> list[tuple[str, str, list[int] | None]]:
    return [
        (r.plugin, r.reason, None if r.mask is None else np.flatnonzero(r.mask).tolist())
        for r in filtered.rejections
    ]


def test_node_is_counted_for_the_first_plugin_that_rejects_it_only() -> None:
    second = Second(reject([0, 1], "b"))
    filtered = profile(First(reject([0], "a")), second).filter(POD, cluster())
    assert told(filtered) == [("First", "a", [0]), ("Second", "b", [1])]
    assert second.alive == [False, True, True]
    assert filtered.feasible.tolist() == [False, False, True]


def test_node_is_counted_for_every_reason_of_one_plugin() -> None:
    filtered = profile(First(reject([0, 1], "a"), reject([1], "b"))).filter(POD, cluster())
    assert told(filtered) == [("First", "a", [0, 1]), ("First", "b", [1])]


def test_rejection_of_no_living_node_is_not_told() -> None:
    plugins = (First(reject([0], "a")), Second(reject([0], "b"), reject([], "c")))
    assert told(profile(*plugins).filter(POD, cluster())) == [("First", "a", [0])]


def test_no_plugin_is_asked_once_no_node_is_alive() -> None:
    second = Second()
    profile(First(reject([0, 1, 2], "a")), second).filter(POD, cluster())
    assert second.alive is None


def test_state_of_pre_filter_reaches_filter_and_score() -> None:
    answering = Answering("state")
    asked = profile(answering)
    asked.score(POD, cluster(), asked.filter(POD, cluster()))
    assert answering.states == ["state", "state"]


def test_state_of_pre_score_takes_its_place_in_score() -> None:
    answering = Answering("state", "better")
    asked = profile(answering)
    asked.score(POD, cluster(), asked.filter(POD, cluster()))
    assert answering.states == ["state", "better"]


def test_skip_in_pre_filter_turns_filter_off_and_score_not() -> None:
    answering = Answering(SKIP)
    asked = profile(answering)
    filtered = asked.filter(POD, cluster())
    assert (answering.states, filtered.states) == ([], {})
    assert "Answering" in asked.score(POD, cluster(), filtered).by_plugin


def test_skip_in_pre_score_leaves_the_plugin_out_of_the_scores() -> None:
    asked = profile(Answering(None, SKIP))
    assert asked.score(POD, cluster(), asked.filter(POD, cluster())).by_plugin == {}


def test_reject_in_pre_filter_rejects_the_pod_as_a_whole() -> None:
    no = Reject(None, "impossible", resolvable=False)
    also = Also()
    filtered = profile(Answering(no), also).filter(POD, cluster())
    assert told(filtered) == [("Answering", "impossible", None)]
    assert not filtered.feasible.any()
    assert also.states == []


def test_resolvable_reject_in_pre_filter_still_asks_the_others_for_their_states() -> None:
    """Evictions may undo it, and finding out takes every plugin's state."""
    filtered = profile(Answering(Reject(None, "full")), Also("mine")).filter(POD, cluster())
    assert told(filtered) == [("Answering", "full", None)]
    assert filtered.states == {"Also": "mine"}


def test_nodes_outside_a_subset_are_told_apart() -> None:
    subset = NodeSubset(frozenset({"n1", "unknown"}), state="mine")
    filtered = profile(Answering(subset)).filter(POD, cluster())
    reason = "node(s) didn't satisfy plugin(s) [Answering]"
    assert told(filtered) == [("Answering", reason, [0, 2])]
    assert filtered.states == {"Answering": "mine"}
    assert not filtered.rejections[0].resolvable


def test_subsets_of_several_plugins_are_intersected() -> None:
    subsets = (
        NodeSubset(frozenset({"n0", "n1"})),
        NodeSubset(frozenset({"n1", "n2"})),
    )
    filtered = profile(Answering(subsets[0]), Also(subsets[1])).filter(POD, cluster())
    reason = "node(s) didn't satisfy plugin(s) [Also Answering]"
    assert told(filtered) == [("Also Answering", reason, [0, 2])]


def test_subsets_without_a_common_node_reject_the_pod_as_a_whole() -> None:
    several = profile(Answering(NodeSubset(frozenset({"n0"}))), Also(NodeSubset(frozenset({"n1"}))))
    reason = "node(s) didn't satisfy plugin(s) [Also Answering] simultaneously"
    assert told(several.filter(POD, cluster())) == [("Also Answering", reason, None)]
    one = profile(Answering(NodeSubset(frozenset())))
    reason = "node(s) didn't satisfy plugin Answering"
    assert told(one.filter(POD, cluster())) == [("Answering", reason, None)]


def test_filters_run_again_on_another_table_with_the_states_given() -> None:
    answering, first = Answering(SKIP), First(reject([1], "a", nodes=2))
    asked = profile(answering, Also("old"), first)
    filtered = asked.filter(POD, cluster(2))
    given = Filtered(np.array([True, True]), (), {**filtered.states, "Also": "new"})
    again = asked.refilter(POD, cluster(2).nodes, given)
    assert told(again) == [("First", "a", [1])]
    assert answering.states == []
    assert given.feasible.tolist() == [True, True]


def test_scores_are_weighted_and_summed() -> None:
    plugins = (Scoring(np.array([1, 2, 3])), Trusted(np.array([10, 0, 0])))
    asked = profile(*plugins, weight=2)
    scored = asked.score(POD, cluster(), asked.filter(POD, cluster()))
    assert scored.by_plugin["Scoring"].tolist() == [2, 4, 6]
    assert scored.total.tolist() == [22, 4, 6]


def test_score_out_of_range_is_an_error_on_feasible_nodes_only() -> None:
    asked = profile(First(reject([2], "a")), Scoring(np.array([0, 100, 101])))
    asked.score(POD, cluster(), asked.filter(POD, cluster()))
    with pytest.raises(PluginError, match=r"'Scoring' failed in score .* 101 is outside 0\.\.100"):
        asked.score(POD, cluster(), Filtered(np.array([True] * 3), (), {}))


@pytest.mark.parametrize(
    ("scores", "problem"),
    [
        (np.array([1, 2]), r"must be int64\[3\], not int64\[2\]"),
        (np.array([1.0, 2.0, 3.0]), r"must be int64\[3\], not float64\[3\]"),
        ([1, 2, 3], r"must be int64\[3\], not \[1, 2, 3\]"),
    ],
)
def test_scores_of_the_wrong_shape_or_type_are_an_error(scores: Any, problem: str) -> None:
    asked = profile(Trusted(scores))
    with pytest.raises(
        PluginError, match=f"'Trusted' failed in score for pod default/p: .*{problem}"
    ):
        asked.score(POD, cluster(), asked.filter(POD, cluster()))


@pytest.mark.parametrize(
    ("mask", "problem"),
    [
        (np.array([True]), r"mask must be bool\[3\], not bool\[1\]"),
        (np.array([1, 0, 0]), r"mask must be bool\[3\], not int64\[3\]"),
        (None, r"mask must be bool\[3\], not None"),
    ],
)
def test_mask_of_the_wrong_shape_or_type_is_an_error(mask: Any, problem: str) -> None:
    with pytest.raises(
        PluginError, match=f"'First' failed in filter for pod default/p: .*{problem}"
    ):
        profile(First(Reject(mask, "a"))).filter(POD, cluster())


def test_exception_in_a_plugin_names_the_plugin_the_point_and_the_pod() -> None:
    class Failing(Plugin):
        """Fails after its first rejection."""

        name = "Failing"
        requeue_on = ANY_EVENT

        def filter(self) -> Iterator[Reject]:
            """Fail late, as a generator does."""
            yield reject([0], "a")
            raise KeyError("gpu")

    with pytest.raises(PluginError) as caught:
        profile(Failing()).filter(POD, cluster())
    told = str(caught.value)
    assert told.startswith("plugin 'Failing' failed in filter for pod default/p: KeyError: 'gpu'")
    assert isinstance(caught.value.__cause__, KeyError)


def test_plugin_cannot_write_to_the_mask_that_it_is_given() -> None:
    class Vandal(Plugin):
        """Writes to it."""

        name = "Vandal"
        requeue_on = ANY_EVENT

        def filter(self, alive: Mask) -> Iterator[Reject]:
            """Write."""
            alive[0] = False
            return iter(())

    with pytest.raises(PluginError, match=r"Vandal.*read-only"):
        profile(Vandal()).filter(POD, cluster())


def test_first_pre_enqueue_that_rejects_counts() -> None:
    class Gate(Plugin):
        """Lets pods in that are tall enough."""

        name = "Gate"
        requeue_on = ANY_EVENT

        def pre_enqueue(self, pod: Pod) -> Reject | None:
            """Compare the priority."""
            return None if pod.priority > 1 else Reject(None, "too small")

    rejected = profile(Gate()).pre_enqueue(POD)
    assert rejected is not None
    assert (rejected.plugin, rejected.reason, rejected.mask) == ("Gate", "too small", None)
    assert profile(Gate()).pre_enqueue(make.pod("q", priority=2)) is None


def test_sort_key_is_that_of_the_one_plugin_that_has_it() -> None:
    assert profile().sort_key(make.pod("q", priority=7), 1.5) == (-7, 1.5)


def test_profile_needs_exactly_one_order() -> None:
    class Another(PrioritySort):
        """Another order."""

        name = "Another"

    with pytest.raises(ProfileError, match="needs exactly one plugin with sort_key; it has none"):
        Profile("p", [])
    with pytest.raises(ProfileError, match="it has PrioritySort, Another"):
        profile(Another())


def test_plugin_that_can_reject_needs_requeue_on() -> None:
    class Silent(First):
        """Says nothing of when to try again."""

        name = "Silent"
        requeue_on = frozenset()

    with pytest.raises(ProfileError, match="'Silent' can reject pods in filter but has no requeue"):
        profile(Silent())


def test_plugin_that_asks_for_an_unknown_argument_is_refused() -> None:
    class Curious(Plugin):
        """Wants to know the time."""

        name = "Curious"

        def score(self, nodes: NodeTable, _now: float) -> Scores:
            """Never runs."""
            return np.zeros(len(nodes), dtype=np.int64)

    with pytest.raises(
        ProfileError, match="score asks for _now; it may ask for feasible, nodes, pod, state"
    ):
        profile(Curious())


def test_plugin_twice_in_a_profile_is_refused() -> None:
    with pytest.raises(ProfileError, match="profile 'p' has plugin 'First' twice"):
        profile(First(), First())


def test_plugin_name_with_a_space_is_refused() -> None:
    class Spaced(Plugin):
        """Its name has a space in it."""

        name = "Two Words"

    with pytest.raises(ProfileError, match="'Two Words': a name is not empty and has no spaces"):
        profile(Spaced())
