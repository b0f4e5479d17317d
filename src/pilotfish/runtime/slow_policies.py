"""Slow policies: says which policy holds up all pods, and does not say so at every pod."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Final

LIMIT_SECONDS: Final = 0.1  # for one pod; ten pods a second is then the best that can be
REMIND_SECONDS: Final = 30.0


class SlowPolicies:
    """A stopwatch for policies.

    Args:
        log: where to.
        clock: monotonic seconds.
    """

    def __init__(self, log: logging.Logger, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._log = log
        self._pod = ""
        self._spent: dict[str, float] = {}
        self._slow_pods: Counter[str] = Counter()  # since the last warning
        self._warned_at: dict[str, float] = {}

    def cycle(self, pod: str) -> None:
        """Take note that a scheduling cycle begins."""
        self._pod = pod
        self._spent.clear()

    def took(self, plugin: str, seconds: float) -> None:
        """Take note of a call; warn when the calls for one pod were too long."""
        before = self._spent.get(plugin, 0.0)
        self._spent[plugin] = after = before + seconds
        if before <= LIMIT_SECONDS < after:
            self._slow_pods[plugin] += 1
            self._warn(plugin, after)

    def _warn(self, plugin: str, seconds: float) -> None:
        now = self.clock()
        if now - self._warned_at.get(plugin, float("-inf")) < REMIND_SECONDS:
            return
        self._warned_at[plugin] = now
        more = self._slow_pods.pop(plugin) - 1
        others = f" and was as slow for {more} pods before" if more else ""
        self._log.warning(
            "policy %s took %.2f s for %s%s; above %.1f s a pod it holds up every other pod, too",
            plugin,
            seconds,
            self._pod,
            others,
            LIMIT_SECONDS,
            extra={"plugin": plugin, "pod": self._pod, "seconds": seconds},
        )
