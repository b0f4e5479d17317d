"""Check a complete configuration by upstream's rules.

Source: kubernetes v1.36 pkg/scheduler/apis/config/validation/validation.go,
    staging/src/k8s.io/component-base/config/validation/validation.go.
    differs: also refused is what kube-scheduler finds out when it starts.
"""

from __future__ import annotations

from collections.abc import Iterator

from pilotfish.config.args_validation import problems_of_args
from pilotfish.config.duration import parse_duration
from pilotfish.config.errors import Problem
from pilotfish.config.types import (
    KubeSchedulerConfiguration,
    LeaderElection,
    SchedulerProfile,
    camel,
)

ALL_NODES = 100  # per cent


def problems_of(configuration: KubeSchedulerConfiguration) -> Iterator[Problem]:
    """Yield all that is wrong with a complete configuration."""
    if configuration.client_connection.burst < 0:
        yield Problem("clientConnection.burst", "must not be negative")
    yield from _of_leader_election(configuration.leader_election)
    if (configuration.parallelism or 0) <= 0:
        yield Problem("parallelism", "must be greater than 0")
    yield from _of_percentage("", configuration.percentage_of_nodes_to_score)
    yield from _of_back_off(configuration)
    yield from _of_profiles(configuration.profiles)
    if configuration.extenders:
        yield Problem("extenders", "pilotfish calls no extenders yet; they decide about nodes")


def _of_leader_election(election: LeaderElection) -> Iterator[Problem]:
    if not election.leader_elect:
        return
    names = ("lease_duration", "renew_deadline", "retry_period")
    lease, renew, retry = (parse_duration(getattr(election, name)) for name in names)
    for path, value in (("leaseDuration", lease), ("renewDeadline", renew), ("retryPeriod", retry)):
        if value <= 0:
            yield Problem(f"leaderElection.{path}", "must be greater than 0")
    if lease <= renew:
        yield Problem("leaderElection.leaseDuration", "must be greater than renewDeadline")
    if 5 * renew <= 6 * retry:  # client-go's JitterFactor
        yield Problem("leaderElection.renewDeadline", "must be greater than 1.2 times retryPeriod")
    if election.resource_lock != "leases":
        yield Problem("leaderElection.resourceLock", 'must be "leases"')


def _of_back_off(configuration: KubeSchedulerConfiguration) -> Iterator[Problem]:
    initial = configuration.pod_initial_backoff_seconds or 0
    if initial <= 0:
        yield Problem("podInitialBackoffSeconds", "must be greater than 0")
    if (configuration.pod_max_backoff_seconds or 0) < initial:
        yield Problem("podMaxBackoffSeconds", "must not be less than podInitialBackoffSeconds")


def _of_percentage(path: str, percentage: int | None) -> Iterator[Problem]:
    if not 0 <= (percentage or 0) <= ALL_NODES:
        yield Problem(f"{path}percentageOfNodesToScore", "must be between 0 and 100")


def _of_profiles(profiles: tuple[SchedulerProfile, ...]) -> Iterator[Problem]:
    names = [profile.scheduler_name for profile in profiles]
    for i, profile in enumerate(profiles):
        path = f"profiles[{i}]."
        if not profile.scheduler_name:
            yield Problem(f"{path}schedulerName", "is needed where there are several profiles")
        elif profile.scheduler_name in names[:i]:
            first = names.index(profile.scheduler_name)
            yield Problem(f"{path}schedulerName", f"is that of profiles[{first}] as well")
        yield from _of_percentage(path, profile.percentage_of_nodes_to_score)
        if profile.plugins.queue_sort != profiles[0].plugins.queue_sort:
            yield Problem(f"{path}plugins.queueSort", "must be the same in all profiles")
        if len(profile.plugins.queue_sort.enabled) > 1:
            yield Problem(f"{path}plugins.queueSort.enabled", "only one plugin can sort the queue")
        yield from _of_weights(profile, path)
        yield from _of_plugin_config(profile, path)


def _of_weights(profile: SchedulerProfile, path: str) -> Iterator[Problem]:
    for point in ("multi_point", "score"):
        for i, entry in enumerate(getattr(profile.plugins, point).enabled):
            if entry.weight < 0:
                here = f"{path}plugins.{camel(point)}.enabled[{i}].weight"
                yield Problem(here, f"the weight of {entry.name} must not be negative")


def _of_plugin_config(profile: SchedulerProfile, path: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for j, one in enumerate(profile.plugin_config):
        here = f"{path}pluginConfig[{j}]"
        if one.name in seen:
            yield Problem(f"{here}.name", f"{one.name} has arguments already")
        seen.add(one.name)
        for problem in problems_of_args(one.args):
            yield Problem(f"{here}.args.{problem.path}", problem.reason)
