"""Policies: plugins of one's own, put into the profiles of a configuration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from msgspec.structs import asdict, replace

from pilotfish.config.defaults import ALL, complete
from pilotfish.config.errors import ConfigurationError, Problem
from pilotfish.config.types import (
    KubeSchedulerConfiguration,
    LeaderElection,
    PluginEntry,
    Plugins,
    PluginSet,
    SchedulerProfile,
)
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.plugin import Plugin, implements
from pilotfish.framework.registry import Registry
from pilotfish.plugins.default import default_registry

SCORING_POINTS: Final = ("pre_score", "score")


class Policy(msgspec.Struct, frozen=True):
    """A plugin of somebody's own.

    Attributes:
        type: its class.
        weight: of its scores; None is what the configuration says, or 1.
        place: where it is written, for people.
    """

    type: type[Plugin]
    weight: int | None = None
    place: str = ""

    @property
    def name(self) -> str:
        """The plugin's name."""
        return self.type.name

    @property
    def entry(self) -> PluginEntry:
        """What enables it."""
        return PluginEntry(name=self.name, weight=self.weight or 1)


def registry_with(policies: Sequence[Policy]) -> Registry:
    """Make a registry of the usual plugins and of policies.

    Raises:
        ConfigurationError: two have one name.
    """
    registry = default_registry()
    for policy in policies:
        try:
            registry.add(policy.name, policy.type)
        except ProfileError as error:
            raise ConfigurationError([Problem(policy.place, str(error))]) from error
    return registry


def configuration_with(
    policies: Sequence[Policy], configuration: KubeSchedulerConfiguration, *, only: bool
) -> KubeSchedulerConfiguration:
    """Put policies into the profiles of a complete configuration.

    A policy that no profile mentions is added to all of them, at every extension point that it has;
    one with a `sort_key` takes PrioritySort's place. Of one that is mentioned, the configuration
    alone says where it runs.

    Args:
        policies: what is put in.
        configuration: where.
        only: whether other plugins' scores are left out.

    Raises:
        ConfigurationError: a weight is given twice, or no score would be left.
    """
    mentioned = {name for profile in configuration.profiles for name in _mentioned(profile.plugins)}
    problems = [
        Problem(
            policy.place,
            f"the weight of {policy.name!r} is given beside a configuration that "
            "names the policy; give it there alone",
        )
        for policy in policies
        if policy.weight is not None and policy.name in mentioned
    ]
    added = [policy for policy in policies if policy.name not in mentioned]
    profiles = [_with(added, profile) for profile in configuration.profiles]
    if only:
        profiles = [_scored_by(policies, profile) for profile in profiles]
        problems += [
            Problem(
                "--only-policy",
                f"profile {profile.scheduler_name!r} has no policy with a "
                "score; leave the option out, or give the policy a score",
            )
            for profile in profiles
            if not profile.plugins.score.enabled
        ]
    if problems:
        raise ConfigurationError(problems)
    return replace(configuration, profiles=tuple(profiles))


def default_configuration(scheduler_name: str) -> KubeSchedulerConfiguration:
    """Return what is run without a file: upstream's defaults, but without leader election."""
    alone = LeaderElection(leader_elect=False)
    profile = SchedulerProfile(scheduler_name=scheduler_name)
    return complete(KubeSchedulerConfiguration(profiles=(profile,), leader_election=alone))


def _mentioned(plugins: Plugins) -> Iterator[str]:
    for plugin_set in asdict(plugins).values():
        for entry in (*plugin_set.enabled, *plugin_set.disabled):
            yield entry.name


def _with(policies: Sequence[Policy], profile: SchedulerProfile) -> SchedulerProfile:
    plugins = profile.plugins
    everywhere = plugins.multi_point
    entries = tuple(policy.entry for policy in policies)
    plugins = replace(
        plugins, multi_point=replace(everywhere, enabled=everywhere.enabled + entries)
    )
    sorting = tuple(policy.entry for policy in policies if implements(policy.type, "sort_key"))
    if sorting and not plugins.queue_sort.enabled:
        alone = PluginSet(enabled=sorting, disabled=(PluginEntry(name=ALL),))
        plugins = replace(plugins, queue_sort=alone)
    return replace(profile, plugins=plugins)


def _scored_by(policies: Sequence[Policy], profile: SchedulerProfile) -> SchedulerProfile:
    """Leave out the scores of all other plugins."""
    plugins = profile.plugins
    types = {policy.name: policy.type for policy in policies}
    here = {
        entry.name: entry
        for entry in reversed((*plugins.score.enabled, *plugins.multi_point.enabled))
        if entry.name in types
    }
    alone = {
        point: PluginSet(
            enabled=tuple(
                here[name] for name in types if name in here and implements(types[name], point)
            ),
            disabled=(PluginEntry(name=ALL),),
        )
        for point in SCORING_POINTS
    }
    return replace(profile, plugins=replace(plugins, **alone))
