"""What policies do to the profiles of a configuration."""

from __future__ import annotations

import numpy as np
import pytest

import make
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.config.errors import ConfigurationError
from pilotfish.config.reading import load_configuration
from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.framework import (
    ClusterEvent,
    NodeInfo,
    PerNodePlugin,
    Plugin,
    Pod,
    Profile,
    Rejection,
)
from pilotfish.plugins.policies import (
    Policy,
    configuration_with,
    default_configuration,
    registry_with,
)
from pilotfish.plugins.profiles import make_profiles

HEAD = "apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\n"


class Most(PerNodePlugin):
    """Scores by the number in a node's name."""

    name = "Most"

    def score_node(self, _pod: Pod, node: NodeInfo) -> int:
        """Read it."""
        return int(node.name[1:])


class NotFirst(PerNodePlugin):
    """Rejects a node."""

    name = "NotFirst"
    requeue_on = frozenset({ClusterEvent.NODE_ADDED})

    def filter_node(self, _pod: Pod, node: NodeInfo) -> Rejection | None:
        """Reject n0."""
        return Rejection("node(s) were first") if node.name == "n0" else None


class Youngest(Plugin):
    """Sorts by time, backwards."""

    name = "Youngest"

    def sort_key(self, timestamp: float) -> tuple[float]:
        """Return the place."""
        return (-timestamp,)


def profiles(*policies: Policy, text: str = "", only: bool = False) -> list[Profile]:
    registry = registry_with(policies)
    given: KubeSchedulerConfiguration = (
        load_configuration(HEAD + text, registry.names) if text else default_configuration("mine")
    )
    return make_profiles(configuration_with(policies, given, only=only), registry)


def scores(profile: Profile) -> dict[str, list[int]]:
    cache = ClusterCache()
    for i in range(3):
        cache.set_node(make.node(f"n{i}"))
    pod = make.pod("p")
    filtered = profile.filter(pod, cache)
    rows = np.flatnonzero(filtered.feasible)
    by_plugin = profile.score(pod, cache, filtered).by_plugin
    return {name: one[rows].tolist() for name, one in by_plugin.items()}


def test_policy_scores_beside_the_usual_plugins_by_its_weight() -> None:
    (profile,) = profiles(Policy(Most, 5))
    found = scores(profile)
    assert found["Most"] == [0, 5, 10]
    assert "NodeResourcesFit" in found


def test_only_policies_score_if_asked_and_all_filters_stay() -> None:
    (profile,) = profiles(Policy(Most), Policy(NotFirst), only=True)
    assert scores(profile) == {"Most": [1, 2]}
    filtering = {one.plugin.name for one in profile.enabled}
    assert {"NodeResourcesFit", "TaintToleration", "NotFirst"} <= filtering


def test_no_score_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="profile 'mine' has no policy with a score"):
        profiles(Policy(NotFirst), only=True)


def test_sort_key_takes_the_place_of_priority_sort() -> None:
    (profile,) = profiles(Policy(Youngest))
    assert profile.sorts_by == "Youngest"
    with pytest.raises(ConfigurationError, match="twice"):
        profiles(Policy(Youngest), Policy(Youngest))


TWO = "profiles: [{schedulerName: a}, {schedulerName: b}]\n"
NAMED = """
profiles:
- schedulerName: a
  plugins: {score: {enabled: [{name: Most, weight: 7}]}}
- schedulerName: b
"""


def test_policy_that_a_file_does_not_mention_is_in_all_its_profiles() -> None:
    a, b = profiles(Policy(Most, 2), text=TWO)
    assert scores(a)["Most"] == scores(b)["Most"] == [0, 2, 4]


def test_policy_that_a_file_mentions_is_where_it_says() -> None:
    a, b = profiles(Policy(Most), text=NAMED)
    assert scores(a)["Most"] == [0, 7, 14]
    assert "Most" not in scores(b)


def test_only_policies_score_by_the_weight_of_the_file() -> None:
    text = NAMED.replace("- schedulerName: b\n", "")
    (a,) = profiles(Policy(Most), text=text, only=True)
    assert scores(a) == {"Most": [0, 7, 14]}
    with pytest.raises(ConfigurationError, match="profile 'b' has no policy with a score"):
        profiles(Policy(Most), text=NAMED, only=True)


def test_weight_given_twice_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mine:3: the weight of 'Most' is given beside"):
        profiles(Policy(Most, 5, "mine:3"), text=NAMED)


def test_two_policies_of_one_name_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="mine:3: plugin 'Most' is registered twice"):
        registry_with([Policy(Most), Policy(Most, place="mine:3")])
