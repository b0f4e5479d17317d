"""Settings of the scheduler core."""

import math

import pytest

from pilotfish.config.errors import ConfigError
from pilotfish.config.settings import SchedulerSettings


def test_defaults_are_upstreams() -> None:
    settings = SchedulerSettings()
    assert settings.pod_initial_backoff_seconds == 1.0
    assert settings.pod_max_backoff_seconds == 10.0
    assert settings.pod_max_in_unschedulable_pods_seconds == 300.0


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan])
def test_time_that_cannot_be_is_refused_by_name(value: float) -> None:
    with pytest.raises(ConfigError, match=r"pod_max_backoff_seconds is .* 0 or more"):
        SchedulerSettings(pod_max_backoff_seconds=value)


def test_zero_turns_back_off_off_and_is_allowed() -> None:
    assert SchedulerSettings(pod_max_backoff_seconds=0).pod_max_backoff_seconds == 0
