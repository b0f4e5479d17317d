"""Profiles from a configuration: which plugin runs where, with which arguments and weight.

Source: kubernetes v1.36 pkg/scheduler/framework/runtime/framework.go (NewFramework,
    expandMultiPointPlugins, getValidScoreWeights).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import asdict, replace

from pilotfish.config.defaults import ALL, complete_args
from pilotfish.config.errors import ConfigurationError, Problem
from pilotfish.config.plugin_args import (
    ARGS,
    DefaultPreemptionArgs,
    DynamicResourcesArgs,
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    ScoringStrategy,
    VolumeBindingArgs,
)
from pilotfish.config.reading import load_configuration
from pilotfish.config.types import (
    EXTENSION_POINTS,
    KubeSchedulerConfiguration,
    PluginEntry,
    PluginSet,
    SchedulerProfile,
    camel,
)
from pilotfish.config.upstream import DEFAULT_PLUGINS, UPSTREAM_PLUGINS
from pilotfish.framework import plugin as framework
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.plugin import Plugin, implements
from pilotfish.framework.profile import EnabledPlugin, Profile
from pilotfish.framework.registry import Registry
from pilotfish.plugins.scoring_strategies import (
    LeastAllocated,
    MostAllocated,
    RequestedToCapacityRatio,
    Strategy,
)

POINT_NAMES: Final = {"queue_sort": "sort_key"}  # where ours is not upstream's
_USUAL: Final = {entry.name: entry for entry in DEFAULT_PLUGINS}


def profiles_of(text: str, registry: Registry) -> tuple[KubeSchedulerConfiguration, list[Profile]]:
    """Read a configuration file and make its profiles.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    configuration = load_configuration(text, registry.names | UPSTREAM_PLUGINS.keys())
    return configuration, make_profiles(configuration, registry)


def make_profiles(configuration: KubeSchedulerConfiguration, registry: Registry) -> list[Profile]:
    """Make the profiles of a complete configuration.

    Plugins that upstream has by default and the registry has not are passed over as long as they
    are as they are by default.

    Raises:
        ConfigurationError: a plugin is not built yet, cannot be made, or cannot run where it
            should.
    """
    makers = [
        _ProfileMaker(_with_percentage(profile, configuration), f"profiles[{i}]", registry)
        for i, profile in enumerate(configuration.profiles)
    ]
    problems = [problem for maker in makers for problem in maker.problems]
    if problems:
        raise ConfigurationError(problems)
    return [maker.make() for maker in makers]


def arguments_of(args: Any) -> Mapping[str, Any]:
    """Return what a plugin is constructed from."""
    match args:
        case NodeResourcesFitArgs(scoring_strategy=ScoringStrategy() as strategy):
            weights: dict[str, int] = {}
            for one in strategy.resources:
                weights[one.name] = weights.get(one.name, 0) + one.weight
            return {
                "resources": weights,
                "ignored_resources": args.ignored_resources,
                "ignored_resource_groups": args.ignored_resource_groups,
                "strategy": _strategy(strategy),
            }
        case NodeResourcesBalancedAllocationArgs():
            return {"resources": [one.name for one in args.resources]}
        case VolumeBindingArgs():
            return {"bind_timeout_seconds": args.bind_timeout_seconds}
        case DefaultPreemptionArgs() | DynamicResourcesArgs():
            return {}  # they tune what is done otherwise here; see config.writing.without_effect
        case None | dict():
            return args or {}
        case _:
            return asdict(args)


def _strategy(strategy: ScoringStrategy) -> Strategy:
    match strategy.type:
        case "MostAllocated":
            return MostAllocated()
        case "RequestedToCapacityRatio":
            ratio = strategy.requested_to_capacity_ratio
            points = ratio.shape if ratio else ()
            return RequestedToCapacityRatio([(one.utilization, one.score) for one in points])
        case _:
            return LeastAllocated()


def _with_percentage(
    profile: SchedulerProfile, configuration: KubeSchedulerConfiguration
) -> SchedulerProfile:
    """Give a profile without a percentage of its own that of the file."""
    if profile.percentage_of_nodes_to_score is not None:
        return profile
    percentage = configuration.percentage_of_nodes_to_score
    return replace(profile, percentage_of_nodes_to_score=percentage)


class _ProfileMaker:
    """Makes one profile, or says why not."""

    def __init__(self, profile: SchedulerProfile, path: str, registry: Registry) -> None:
        self._profile = profile
        self._path = path
        self._sets: dict[str, PluginSet] = {
            point: getattr(profile.plugins, point) for point in EXTENSION_POINTS
        }
        self._multi_point = profile.plugins.multi_point
        self._args = {one.name: one.args for one in profile.plugin_config}
        self._plugins: dict[str, Plugin] = {}
        self.problems = [*self._of_names(registry), *self._of_points()]

    def make(self) -> Profile:
        """Make the profile, for which there must be no problems."""
        weights: dict[str, int] = {}
        for entry in (*self._sets["score"].enabled, *self._multi_point.enabled):
            weights.setdefault(entry.name, entry.weight or 1)
        order = {}
        for point in EXTENSION_POINTS:
            ours = POINT_NAMES.get(point, point)
            if ours in framework.EXTENSION_POINTS:
                order[ours] = self._running(point, self._implements)
        percentage = self._profile.percentage_of_nodes_to_score or 0
        enabled = [EnabledPlugin(one, weights.get(n, 1)) for n, one in self._plugins.items()]
        try:
            return Profile(self._profile.scheduler_name, enabled, order, percentage)
        except ProfileError as error:
            raise ConfigurationError([Problem(self._path, str(error))]) from error

    def _running(self, point: str, has_point: Callable[[str, str], bool]) -> Sequence[str]:
        """Name the plugins that run at a point, those that are not built left out."""
        chosen = self._sets[point]
        own = [entry.name for entry in chosen.enabled if entry.name in self._plugins]
        disabled = {entry.name for entry in chosen.disabled}
        if ALL in disabled:
            return own
        everywhere = [
            entry.name
            for entry in self._multi_point.enabled
            if entry.name in self._plugins
            and entry.name not in disabled
            and has_point(entry.name, point)
        ]
        return [
            *(name for name in own if name in everywhere),
            *(name for name in everywhere if name not in own),
            *(name for name in own if name not in everywhere),
        ]

    def _entries(self) -> Iterator[tuple[str, PluginEntry]]:
        """Yield all that is enabled, each with the point that it is enabled at."""
        yield from (("multi_point", entry) for entry in self._multi_point.enabled)
        for point, plugin_set in self._sets.items():
            yield from ((point, entry) for entry in plugin_set.enabled)

    def _of_names(self, registry: Registry) -> Iterator[Problem]:
        """Make the plugins; yield a problem for each that cannot be."""
        for point, entry in self._entries():
            name = entry.name
            if name in self._plugins:
                continue
            if name not in registry:
                yield from self._of_missing(point, entry)
                continue
            try:
                self._plugins[name] = registry.make(name, arguments_of(self._args.get(name)))
            except ProfileError as error:
                yield Problem(self._path_of_args(name), str(error))

    def _of_missing(self, point: str, entry: PluginEntry) -> Iterator[Problem]:
        name = entry.name
        path = f"{self._path}.plugins.{camel(point)}.enabled"
        if point != "multi_point" or _USUAL.get(name) != entry:
            yield Problem(path, f"pilotfish does not have {name} yet; leave it as it is by default")
        elif name in ARGS and self._args[name] != complete_args(ARGS[name]()):
            reason = f"pilotfish does not have {name} yet; leave its arguments out"
            yield Problem(self._path_of_args(name), reason)

    def _of_points(self) -> Iterator[Problem]:
        for point, plugin_set in {"multi_point": self._multi_point, **self._sets}.items():
            path = f"{self._path}.plugins.{camel(point)}.enabled"
            names = [entry.name for entry in plugin_set.enabled]
            for name in sorted({name for name in names if names.count(name) > 1}):
                yield Problem(path, f"{name} is enabled twice")
            if point != "multi_point":
                for name in names:
                    if not self._has_point(name, point):
                        yield Problem(path, f"{name} has no {camel(point)}")
        for point in ("queue_sort", "bind"):
            running = self._running(point, self._has_point)
            if not running or (point == "queue_sort" and len(running) > 1):
                number = "exactly one plugin" if point == "queue_sort" else "a plugin"
                path = f"{self._path}.plugins.{camel(point)}"
                yield Problem(path, f"needs {number}; it has {', '.join(running) or 'none'}")

    def _has_point(self, name: str, point: str) -> bool:
        return point in UPSTREAM_PLUGINS.get(name, ()) or self._implements(name, point)

    def _implements(self, name: str, point: str) -> bool:
        plugin = self._plugins.get(name)
        points = (
            ("reserve", "unreserve") if point == "reserve" else (POINT_NAMES.get(point, point),)
        )
        return plugin is not None and any(implements(plugin, one) for one in points)

    def _path_of_args(self, name: str) -> str:
        names = [one.name for one in self._profile.plugin_config]
        return f"{self._path}.pluginConfig[{names.index(name)}].args"
