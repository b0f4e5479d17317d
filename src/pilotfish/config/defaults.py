"""Fill in what a configuration leaves out, as kube-scheduler does.

Source: kubernetes v1.36 pkg/scheduler/apis/config/v1/defaults.go, default_plugins.go
    (mergePlugins), staging/src/k8s.io/component-base/config/v1alpha1/defaults.go.
"""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import asdict, replace

from pilotfish.config.duration import format_duration, parse_duration
from pilotfish.config.plugin_args import (
    ARGS,
    DefaultPreemptionArgs,
    DynamicResourcesArgs,
    InterPodAffinityArgs,
    NodeResourcesBalancedAllocationArgs,
    NodeResourcesFitArgs,
    PodTopologySpreadArgs,
    ResourceSpec,
    ScoringStrategy,
    VolumeBindingArgs,
)
from pilotfish.config.types import (
    ClientConnection,
    KubeSchedulerConfiguration,
    LeaderElection,
    PluginConfig,
    PluginEntry,
    Plugins,
    PluginSet,
    SchedulerProfile,
)
from pilotfish.config.upstream import DEFAULT_PLUGINS

DEFAULT_SCHEDULER_NAME: Final = "default-scheduler"
CPU_AND_MEMORY: Final = (
    ResourceSpec(name="cpu", weight=1),
    ResourceSpec(name="memory", weight=1),
)
ALL: Final = "*"


def complete(written: KubeSchedulerConfiguration) -> KubeSchedulerConfiguration:
    """Fill in every default. What is complete stays as it is."""
    profiles = written.profiles or (SchedulerProfile(),)
    if len(profiles) == 1 and not profiles[0].scheduler_name:
        profiles = (replace(profiles[0], scheduler_name=DEFAULT_SCHEDULER_NAME),)
    profiling = _or(written.enable_profiling, default=True)
    return replace(
        written,
        parallelism=_or(written.parallelism, 16),
        leader_election=_leader_election(written.leader_election),
        client_connection=_client_connection(written.client_connection),
        enable_profiling=profiling,
        enable_contention_profiling=_or(written.enable_contention_profiling, default=profiling),
        percentage_of_nodes_to_score=_or(written.percentage_of_nodes_to_score, 0),
        pod_initial_backoff_seconds=_or(written.pod_initial_backoff_seconds, 1),
        pod_max_backoff_seconds=_or(written.pod_max_backoff_seconds, 10),
        profiles=tuple(map(_profile, profiles)),
    )


def complete_args(args: Any) -> Any:
    """Fill in the defaults of a plugin's arguments; those of unknown types stay as they are."""
    match args:
        case DefaultPreemptionArgs():
            return DefaultPreemptionArgs(
                min_candidate_nodes_percentage=_or(args.min_candidate_nodes_percentage, 10),
                min_candidate_nodes_absolute=_or(args.min_candidate_nodes_absolute, 100),
            )
        case DynamicResourcesArgs():
            return DynamicResourcesArgs(
                filter_timeout=_duration(args.filter_timeout, "10s"),
                binding_timeout=_duration(args.binding_timeout, "10m0s"),
            )
        case InterPodAffinityArgs():
            weight = _or(args.hard_pod_affinity_weight, 1)
            return replace(args, hard_pod_affinity_weight=weight)
        case NodeResourcesBalancedAllocationArgs():
            return replace(args, resources=_resources(args.resources))
        case NodeResourcesFitArgs():
            given = args.scoring_strategy or ScoringStrategy(type="LeastAllocated")
            strategy = replace(given, resources=_resources(given.resources))
            return replace(args, scoring_strategy=strategy)
        case PodTopologySpreadArgs():
            return replace(args, defaulting_type=args.defaulting_type or "System")
        case VolumeBindingArgs():
            return replace(args, bind_timeout_seconds=_or(args.bind_timeout_seconds, 600))
        case _:
            return args


def _leader_election(written: LeaderElection) -> LeaderElection:
    return LeaderElection(
        leader_elect=_or(written.leader_elect, default=True),
        lease_duration=_time(written.lease_duration, "15s"),
        renew_deadline=_time(written.renew_deadline, "10s"),
        retry_period=_time(written.retry_period, "2s"),
        resource_lock=written.resource_lock or "leases",
        resource_name=written.resource_name or "kube-scheduler",
        resource_namespace=written.resource_namespace or "kube-system",
    )


def _client_connection(written: ClientConnection) -> ClientConnection:
    return replace(
        written,
        content_type=written.content_type or "application/vnd.kubernetes.protobuf",
        qps=written.qps or 50.0,
        burst=written.burst or 100,
    )


def _profile(written: SchedulerProfile) -> SchedulerProfile:
    plugins = _with_default_plugins(written.plugins)
    configured = [replace(one, args=complete_args(one.args)) for one in written.plugin_config]
    names = {entry.name for plugin_set in asdict(plugins).values() for entry in plugin_set.enabled}
    configured += [
        PluginConfig(name=name, args=complete_args(ARGS[name]()))
        for name in sorted(names & ARGS.keys() - {one.name for one in configured})
    ]
    return replace(written, plugins=plugins, plugin_config=tuple(configured))


def _with_default_plugins(written: Plugins) -> Plugins:
    return replace(written, multi_point=_merged(DEFAULT_PLUGINS, written.multi_point))


def _merged(defaults: tuple[PluginEntry, ...], written: PluginSet) -> PluginSet:
    """Put what is written into the defaults: in place where they have it, else behind them."""
    disabled = {entry.name for entry in written.disabled}
    if ALL in disabled:
        return written
    kept = [entry for entry in defaults if entry.name not in disabled]
    own = {entry.name: i for i, entry in enumerate(written.enabled)}  # of several, the last
    first = [written.enabled[own[one.name]] if one.name in own else one for one in kept]
    placed = {own[one.name] for one in kept if one.name in own}
    rest = [entry for i, entry in enumerate(written.enabled) if i not in placed]
    return replace(written, enabled=(*first, *rest))


def _resources(written: tuple[ResourceSpec, ...]) -> tuple[ResourceSpec, ...]:
    weighted = (replace(one, weight=one.weight or 1) for one in written)
    return tuple(weighted) or CPU_AND_MEMORY


def _duration(written: str | None, default: str) -> str:
    return default if written is None else format_duration(parse_duration(written or "0"))


def _time(written: str, default: str) -> str:
    """Complete a duration of which zero is no value."""
    nanoseconds = parse_duration(written or "0")
    return format_duration(nanoseconds) if nanoseconds else default


def _or(written: Any, default: Any) -> Any:
    return default if written is None else written
