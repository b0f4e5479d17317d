"""Dry run: what would have been written is logged, and nothing is."""

from __future__ import annotations

import logging

from pilotfish.core.effects import Bind, CallPlugin, EvictPod, PatchObject, RecordEvent
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
        """Log what would change something; leave everything undone."""
        if isinstance(effect, Bind):
            pod = f"{effect.namespace}/{effect.name}"
            fields = {"pod": pod, "node": effect.node_name}
            self._log.info("would bind %s -> %s", pod, effect.node_name, extra=fields)
        elif isinstance(effect, EvictPod):
            pod = f"{effect.namespace}/{effect.name}"
            self._log.info("would evict %s", pod, extra={"pod": pod})
        elif isinstance(effect, PatchObject):
            kind, name = effect.patch.kind, effect.patch.name
            namespace = f"{effect.patch.namespace}/" if effect.patch.namespace else ""
            self._log.info("would patch %s %s%s", kind, namespace, name)
        elif isinstance(effect, CallPlugin):
            pod = effect.pod.key
            what = f"{effect.plugin}.{effect.extension_point}"
            self._log.info("would call %s for %s", what, pod, extra={"pod": pod})


class NoEvents:
    """Drops every Event."""

    unwritten = 0

    def record(self, event: RecordEvent) -> None:
        """Drop it."""

    async def drained(self) -> None:
        """Return at once."""
