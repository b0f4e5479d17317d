"""A slow policy is named, and not at every pod."""

import logging

import pytest

from pilotfish.runtime.slow_policies import SlowPolicies


class Watched:
    """A stopwatch for policies on a clock that the test sets."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slow = SlowPolicies(logging.getLogger("slow"), lambda: self.now)

    def cycle(self, pod: str, *seconds: float) -> None:
        """Let policy Mine take so long for a pod, in so many calls."""
        self.slow.cycle(pod)
        for one in seconds:
            self.slow.took("Mine", one)


def test_calls_for_one_pod_add_up(caplog: pytest.LogCaptureFixture) -> None:
    watched = Watched()
    watched.cycle("default/a", 0.06)
    watched.cycle("default/a", 0.06)
    assert not caplog.messages
    watched.cycle("default/b", 0.06, 0.07, 0.01)
    (message,) = caplog.messages
    assert message.startswith("policy Mine took 0.13 s for default/b; above 0.1 s a pod it holds")


def test_later_slow_pods_are_counted_until_the_next_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watched = Watched()
    for number in range(4):
        watched.cycle(f"default/p{number}", 0.2)
    watched.now = 31.0
    watched.cycle("default/late", 0.3)
    first, second = caplog.messages
    assert "0.20 s for default/p0;" in first
    assert "0.30 s for default/late and was as slow for 3 pods before;" in second
