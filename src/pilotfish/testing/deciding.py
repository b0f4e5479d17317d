"""Deciding about a few pods on a few nodes: the whole scheduler, without a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.decision import Decision
from pilotfish.core.inputs import Replaced
from pilotfish.core.scheduler import Scheduler
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.profile import Profile
from pilotfish.plugins.policies import (
    Policy,
    configuration_with,
    default_configuration,
    registry_with,
)
from pilotfish.plugins.profiles import make_profiles
from pilotfish.runtime.chance import repeatable
from pilotfish.testing.makers import node_metrics

SCHEDULER_NAME = "my-scheduler"  # that of pods made by `pod`


def decide(
    policy: type[Plugin],
    pods: Sequence[Pod],
    nodes: Sequence[Node],
    *,
    weight: int = 1,
    only_policy: bool = False,
    seed: int = 0,
    usage: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, Decision]:
    """Let a scheduler with a policy decide about each pod that has no node.

    Args:
        policy: its class.
        pods: those with a `node_name` are in place; the others come all at once, and each sees
            those that were decided before it.
        nodes: the whole cluster.
        weight: of the policy's scores.
        only_policy: leave out all other scores, as `--only-policy` does.
        seed: of the choice among equally good nodes.
        usage: what nodes use right now, by name, as in `{"a": {"cpu": "1500m", "memory": "2Gi"}}`.

    Returns:
        The decision about each pod, by its name, in the order in which they were made. The chosen
        node is `node_name`; without one, `message` says why; `best` has the scores.

    Raises:
        AssertionError: the policy failed.
    """
    profile = profile_with(Policy(policy, weight), only=only_policy)
    decisions = decisions_of(profile, pods, nodes, seed=seed, usage=usage)
    for decision in decisions:
        if decision.outcome == "error":
            raise AssertionError(decision.message)
    return {decision.name: decision for decision in decisions}


def profile_with(policy: Policy, *, only: bool = False) -> Profile:
    """Make the default profile with a policy in it.

    Raises:
        ConfigurationError: it cannot be made.
    """
    given = default_configuration(SCHEDULER_NAME)
    configuration = configuration_with([policy], given, only=only)
    (profile,) = make_profiles(configuration, registry_with([policy]))
    return profile


def decisions_of(
    profile: Profile,
    pods: Sequence[Pod],
    nodes: Sequence[Node],
    *,
    seed: int = 0,
    usage: Mapping[str, Mapping[str, str]] | None = None,
) -> list[Decision]:
    """Decide once about each pod that has no node."""
    profiles: Mapping[str, Profile] = {SCHEDULER_NAME: profile}
    kinds = frozenset({"nodes", "pods"})
    scheduler = Scheduler(profiles, SchedulerSettings(), repeatable(seed), kinds)
    scheduler.handle(Replaced("nodes", tuple(nodes)), 0.0)
    metrics = tuple(node_metrics(name, used) for name, used in (usage or {}).items())
    scheduler.handle(Replaced("nodes.metrics.k8s.io", metrics), 0.0)
    scheduler.handle(Replaced("pods", tuple(pods)), 0.0)
    effects, _ = scheduler.decide(0.0, len(pods))
    return [effect for effect in effects if isinstance(effect, Decision)]
