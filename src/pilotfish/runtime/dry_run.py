"""Dry run: what would have been written is logged, and nothing is."""

from __future__ import annotations

import logging

from pilotfish.core.effects import Bind, EvictPod, RecordEvent
from pilotfish.runtime.executor import PodEffect


class DryRunExecutor:
    """Says what it would bind and never answers, so the pod stays assumed for the rest of the run.

    Args:
        log: where to.
    """

    is_saturated = False
    binds = 0

    def __init__(self, log: logging.Logger) -> None:
        self._log = log

    def submit(self, effect: PodEffect) -> None:
        """Log a bind or an eviction; leave everything undone."""
        if isinstance(effect, Bind):
            pod = f"{effect.namespace}/{effect.name}"
            fields = {"pod": pod, "node": effect.node_name}
            self._log.info("would bind %s -> %s", pod, effect.node_name, extra=fields)
        elif isinstance(effect, EvictPod):
            pod = f"{effect.namespace}/{effect.name}"
            self._log.info("would evict %s", pod, extra={"pod": pod})


class NoEvents:
    """Drops every Event."""

    unwritten = 0

    def record(self, event: RecordEvent) -> None:
        """Drop it."""

    async def drained(self) -> None:
        """Return at once."""
