"""The settings that the scheduler core runs by."""

from __future__ import annotations

import math

import msgspec

from pilotfish.config.errors import ConfigError
from pilotfish.config.types import KubeSchedulerConfiguration


class SchedulerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Queue and binding settings; times in seconds.

    Raises:
        ConfigError: a time is negative or not finite.

    Source: kubernetes v1.36 pkg/scheduler/apis/config/v1/defaults.go,
        pkg/scheduler/backend/queue/scheduling_queue.go.
    """

    pod_initial_backoff_seconds: float = 1.0
    """How long a pod waits after its first failed attempt; doubled by each further one."""

    pod_max_backoff_seconds: float = 10.0
    """The longest such wait; 0 turns back-off off."""

    pod_max_in_unschedulable_pods_seconds: float = 300.0
    """A pod that no event woke is tried again after this long."""

    seed: int = 0
    """Of the generator that breaks ties among the best nodes."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if name.endswith("_seconds") and not 0 <= value < math.inf:
                raise ConfigError(f"{name} is {value}; it must be a number of seconds, 0 or more")


def settings_of(configuration: KubeSchedulerConfiguration, seed: int) -> SchedulerSettings:
    """Take the settings of the queue out of a complete configuration."""
    return SchedulerSettings(
        pod_initial_backoff_seconds=float(configuration.pod_initial_backoff_seconds or 0),
        pod_max_backoff_seconds=float(configuration.pod_max_backoff_seconds or 0),
        seed=seed,
    )
