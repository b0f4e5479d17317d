"""Profiles as configurations describe them."""

from __future__ import annotations

from typing import Any

import pytest

import make
from config_text import configuration, disabled, enabled, of_args, of_plugins
from pilotfish.config.errors import ConfigurationError
from pilotfish.framework import EnabledPlugin, Plugin, Profile, Registry
from pilotfish.framework.binding_points import Placed
from pilotfish.plugins.default import DEFAULT_WEIGHTS, default_profile, default_registry
from pilotfish.plugins.profiles import profiles_of
from unit.plugins.deciding import GPU, cluster, gpus

WITHOUT_VOLUMES = Registry(*(one for one in DEFAULT_WEIGHTS if "Volume" not in one.name))


class Booked(Plugin):
    """Has binding points, of which `unreserve` goes with `reserve`."""

    name = "Booked"

    def unreserve(self) -> None:
        """Strike out."""

    def post_bind(self) -> None:
        """Note."""


class Picky(Plugin):
    """A policy of one's own, with an argument."""

    name = "Picky"

    def __init__(self, threshold: int = 0) -> None:
        self.threshold = threshold

    def score(self, nodes: Any) -> Any:
        """Score nothing."""
        return nodes.pod_count * 0


def profile(text: str, registry: Registry | None = None) -> Profile:
    (only,) = profiles_of(text, registry or default_registry())[1]
    return only


def problems(text: str, registry: Registry | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        profiles_of(text, registry or default_registry())
    return [str(problem) for problem in caught.value.problems]


def scorers(found: Profile) -> dict[str, int]:
    """Weights of those that score, in order: on two nodes, a pod that none of them skips."""
    on = cluster([make.node("n", cpu="4"), make.node("m", cpu="2")])
    asking = make.pod("p", cpu="1")
    names = found.score(asking, on, found.filter(asking, on)).by_plugin
    weights = {one.plugin.name: one.weight for one in found.enabled}
    return {name: weights[name] for name in names}


def names(found: Profile) -> list[str]:
    return [one.plugin.name for one in found.enabled]


def test_empty_file_is_the_default_profile() -> None:
    usual = default_profile("default-scheduler")
    found = profile(configuration())
    assert found.scheduler_name == "default-scheduler"
    assert names(found) == names(usual)
    assert [one.weight for one in found.enabled] == [one.weight for one in usual.enabled]
    assert scorers(found) == scorers(usual)


def test_plugin_disabled_at_one_point_still_runs_at_others() -> None:
    found = profile(of_plugins(score=disabled("TaintToleration")))
    assert "TaintToleration" not in scorers(found)
    tainted = cluster([make.node("n", taints=["gpu:NoSchedule"])])
    (rejection,) = found.filter(make.pod("p"), tainted).rejections
    assert rejection.plugin == "TaintToleration"


def test_plugin_disabled_at_multi_point_runs_nowhere() -> None:
    assert "NodePorts" not in names(profile(of_plugins(multiPoint=disabled("NodePorts"))))


def test_star_disables_all_but_what_is_enabled() -> None:
    only = {**disabled("*"), **enabled(ImageLocality=4)}
    assert scorers(profile(of_plugins(score=only))) == {"ImageLocality": 4}


def test_weight_at_score_wins_over_that_at_multi_point() -> None:
    text = of_plugins(score=enabled(ImageLocality=4), multiPoint=enabled(ImageLocality=9))
    assert scorers(profile(text))["ImageLocality"] == 4


def test_plugin_named_at_its_point_runs_first_there() -> None:
    found = profile(of_plugins(score=enabled("ImageLocality")))
    assert next(iter(scorers(found))) == "ImageLocality"


def test_plugin_that_is_disabled_and_enabled_at_a_point_runs_last_there() -> None:
    again = {**disabled("TaintToleration"), **enabled(TaintToleration=5)}
    found = scorers(profile(of_plugins(score=again)))
    assert list(found)[-1] == "TaintToleration"
    assert found["TaintToleration"] == 5


def test_several_profiles_have_their_own_names_and_arguments() -> None:
    ignoring = [{"name": "NodeResourcesFit", "args": {"ignoredResources": [GPU]}}]
    text = configuration(
        profiles=[{"schedulerName": "a"}, {"schedulerName": "b", "pluginConfig": ignoring}]
    )
    _, (first, second) = profiles_of(text, default_registry())
    asking, on = make.pod("p", requests={GPU: "1"}), cluster([make.node("n")])
    assert (first.scheduler_name, second.scheduler_name) == ("a", "b")
    assert not first.filter(asking, on).feasible.any()
    assert second.filter(asking, on).feasible.all()


def test_strategy_and_weights_of_resources_reach_the_plugin() -> None:
    resources = [{"name": "cpu", "weight": 1}, {"name": GPU, "weight": 3}]
    strategy = {"type": "MostAllocated", "resources": resources}
    found = profile(of_args("NodeResourcesFit", scoringStrategy=strategy))
    on = cluster([make.node(n, cpu="4", **gpus("2")) for n in ("n", "m")])
    asking = make.pod("p", cpu="1", requests={GPU: "1"})
    scored = found.score(asking, on, found.filter(asking, on))
    assert scored.by_plugin["NodeResourcesFit"].tolist() == [43, 43]  # (25 + 3 * 50) // 4


def test_percentage_of_a_profile_wins_over_that_of_the_file() -> None:
    profiles = [{"schedulerName": "own", "percentageOfNodesToScore": 0}, {"schedulerName": "file"}]
    text = configuration(percentageOfNodesToScore=30, profiles=profiles)
    found = profiles_of(text, default_registry())[1]
    assert [one.percentage_of_nodes_to_score for one in found] == [0, 30]


def test_policy_of_ones_own_is_a_plugin_of_the_file() -> None:
    registry = default_registry()
    registry.add("Picky", Picky)
    text = configuration(
        profiles=[
            {
                "plugins": {"multiPoint": enabled(Picky=3)},
                "pluginConfig": [{"name": "Picky", "args": {"threshold": 7}}],
            }
        ]
    )
    *_, last = profile(text, registry).enabled
    assert isinstance(last, EnabledPlugin)
    assert isinstance(last.plugin, Picky)
    assert (last.plugin.threshold, last.weight) == (7, 3)


def test_argument_that_a_policy_does_not_take_is_told_by_path() -> None:
    registry = default_registry()
    registry.add("Picky", Picky)
    text = configuration(
        profiles=[
            {
                "plugins": {"multiPoint": enabled("Picky")},
                "pluginConfig": [{"name": "Picky", "args": {"treshold": 7}}],
            }
        ]
    )
    with pytest.raises(
        ConfigurationError, match=r"profiles\[0\].pluginConfig\[0\].args: .*treshold"
    ):
        profiles_of(text, registry)


def test_plugin_that_is_not_built_is_passed_over_as_it_is_by_default() -> None:
    text = of_plugins(multiPoint=enabled("VolumeZone", "VolumeBinding"))
    found = profile(text, WITHOUT_VOLUMES)
    assert set(names(found)) == WITHOUT_VOLUMES.names


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (of_plugins(multiPoint=enabled("GangScheduling")), "plugins.multiPoint.enabled"),
        (of_plugins(multiPoint=enabled(VolumeZone=3)), "plugins.multiPoint.enabled"),
        (of_plugins(filter=enabled("VolumeZone")), "plugins.filter.enabled"),
        (of_args("VolumeBinding", bindTimeoutSeconds=5), "pluginConfig[0].args"),
    ],
)
def test_plugin_that_is_not_built_may_not_be_asked_for_otherwise(text: str, path: str) -> None:
    (problem,) = problems(text, WITHOUT_VOLUMES)
    assert problem.startswith(f"profiles[0].{path}: pilotfish does not have")


def test_plugin_that_is_not_built_may_be_disabled() -> None:
    text = of_plugins(multiPoint=disabled("VolumeBinding", "VolumeZone"))
    assert profile(text, WITHOUT_VOLUMES)


def test_binding_points_are_configured_one_by_one() -> None:
    """A plugin runs where it is named; `reserve` stands for `unreserve` too."""
    registry = default_registry()
    registry.add("Booked", Booked)
    text = configuration(profiles=[{"plugins": {"reserve": enabled("Booked")}}])
    (profile,) = profiles_of(text, registry)[1]
    assert profile.binding.post_binds == ()
    placed = Placed(make.pod("p"), "n1", {})
    assert "Booked" in [call.name for call, _ in profile.binding.unreserve(placed, lambda _: ())]
    text = configuration(profiles=[{"plugins": {"postBind": enabled("Booked")}}])
    (profile,) = profiles_of(text, registry)[1]
    assert [call.name for call in profile.binding.post_binds] == ["Booked"]


def test_plugin_that_lacks_the_binding_point_is_refused() -> None:
    registry = default_registry()
    registry.add("Booked", Booked)
    text = configuration(profiles=[{"plugins": {"preBind": enabled("Booked")}}])
    with pytest.raises(ConfigurationError, match=r"preBind\.enabled: Booked has no preBind"):
        profiles_of(text, registry)
