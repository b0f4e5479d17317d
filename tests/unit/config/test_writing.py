"""Defaults, and configurations written as files."""

import yaml

from config_text import configuration, enabled, of_args, of_plugins
from pilotfish.config.reading import load_configuration
from pilotfish.config.settings import settings_of
from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.config.upstream import UPSTREAM_PLUGINS
from pilotfish.config.writing import to_yaml, without_effect


def loaded(text: str) -> KubeSchedulerConfiguration:
    return load_configuration(text, UPSTREAM_PLUGINS)


def test_what_is_written_reads_back_and_is_written_alike() -> None:
    text = configuration(
        clientConnection={"qps": -1, "kubeconfig": "/k"},
        leaderElection={"leaderElect": False, "leaseDuration": "60s"},
        profiles=[
            {"schedulerName": "a", "plugins": {"score": {"disabled": [{"name": "*"}]}}},
            {"schedulerName": "b", "pluginConfig": [{"name": "VolumeBinding"}]},
        ],
    )
    shown = to_yaml(loaded(text))
    assert to_yaml(loaded(shown)) == shown


def test_duration_is_written_as_kube_scheduler_does() -> None:
    shown = to_yaml(loaded(of_args("DynamicResources", bindingTimeout="90s")))
    (profile,) = yaml.safe_load(shown)["profiles"]
    args = {one["name"]: one["args"] for one in profile["pluginConfig"]}["DynamicResources"]
    assert args["bindingTimeout"] == "1m30s"
    assert args["kind"] == "DynamicResourcesArgs"


def test_default_plugin_with_another_weight_keeps_its_place() -> None:
    (profile,) = loaded(of_plugins(multiPoint=enabled(TaintToleration=7))).profiles
    weights = {entry.name: entry.weight for entry in profile.plugins.multi_point.enabled}
    assert list(weights)[4] == "TaintToleration"
    assert weights["TaintToleration"] == 7


def test_default_plugin_disabled_and_enabled_again_comes_last() -> None:
    again = {"disabled": [{"name": "NodeName"}], **enabled("NodeName")}
    (profile,) = loaded(of_plugins(multiPoint=again)).profiles
    assert profile.plugins.multi_point.enabled[-1].name == "NodeName"


def test_weights_of_zero_become_one() -> None:
    text = of_args("NodeResourcesBalancedAllocation", resources=[{"name": "cpu", "weight": 0}])
    (spec,) = loaded(text).profiles[0].plugin_config[0].args.resources
    assert spec.weight == 1


def test_nothing_in_the_defaults_is_without_effect() -> None:
    assert not list(without_effect(loaded(configuration())))


def test_tuning_without_effect_is_named_by_path() -> None:
    text = configuration(
        parallelism=4,
        enableProfiling=False,
        delayCacheUntilActive=True,
        clientConnection={"contentType": "application/json", "acceptContentTypes": "a/b"},
        leaderElection={"leaderElect": False},
    )
    assert [one.path for one in without_effect(loaded(text))] == [
        "parallelism",
        "enableProfiling",
        "delayCacheUntilActive",
        "clientConnection.contentType",
        "clientConnection.acceptContentTypes",
    ]


def test_arguments_without_effect_are_named_by_path() -> None:
    text = of_args("DefaultPreemption", minCandidateNodesPercentage=50)
    paths = [one.path for one in without_effect(loaded(text))]
    assert "profiles[0].pluginConfig[0].args" in paths


def test_back_off_becomes_a_setting_of_the_queue() -> None:
    text = configuration(podInitialBackoffSeconds=2, podMaxBackoffSeconds=60)
    settings = settings_of(loaded(text), seed=3)
    assert settings.pod_initial_backoff_seconds == 2
    assert settings.pod_max_backoff_seconds == 60
    assert settings.seed == 3
