"""Words: what the log says. People's scripts grep for these lines, so they do not change."""

from __future__ import annotations

import logging
from typing import Literal, TypeAlias

from pilotfish.core.decision import Decision
from pilotfish.core.effects import BindFailed, Bound, PluginFailed, PodSeen, Record

Mode: TypeAlias = Literal["watch", "polling"]

REMEMBERED_PODS = 10_000  # whose last message is known, so that it is not repeated

CHECKING = "Checking pending pods"
NO_PENDING = "No pending pods"


def starting(mode: Mode, scheduler_name: str) -> str:
    """Return the first line."""
    return f"[{mode}] scheduler starting… name={scheduler_name}"


def detected(namespace: str, name: str) -> str:
    """Return polling's line for a pending pod that a cycle found."""
    return f"Detected Pending Pod {namespace}/{name}"


class Words:
    """Writes a line for each record that concerns people.

    Args:
        log: where to.
        mode: polling has its own words for pods that it sees.
    """

    def __init__(self, log: logging.Logger, mode: Mode) -> None:
        self._log = log
        self._mode = mode
        self._messages: dict[str, str] = {}  # by uid: why the pod is pending; the oldest first

    def observe(self, record: Record) -> None:
        """Write the line of a record, if it has one."""
        match record:
            case Bound():
                self._bound(record)
            case PodSeen():
                self._seen(record)
            case Decision():
                self._decided(record)
            case BindFailed():
                self._bind_failed(record)
            case PluginFailed():
                self._plugin_failed(record)

    def _bound(self, bound: Bound) -> None:
        self._messages.pop(bound.uid, None)
        pod = f"{bound.namespace}/{bound.name}"
        fields = {"pod": pod, "node": bound.node_name}
        self._log.info("Bound %s -> %s", pod, bound.node_name, extra=fields)

    def _seen(self, seen: PodSeen) -> None:
        if self._mode == "watch":
            pod = f"{seen.namespace}/{seen.name}"
            self._log.info("Pod %s %s", seen.change, pod, extra={"pod": pod})

    def _decided(self, decision: Decision) -> None:
        pod = f"{decision.namespace}/{decision.name}"
        fields = {"pod": pod, "attempt": decision.attempt}
        if self._log.isEnabledFor(logging.DEBUG):
            choice = f"{decision.feasible} of {decision.nodes} nodes are feasible"
            if decision.best:
                best = decision.best[0]
                scores = ", ".join(f"{name} {score}" for name, score in best.by_plugin.items())
                choice += f"; {best.node_name} scores {best.total}: {scores}"
            self._log.debug("%s: %s", pod, choice, extra=fields | {"decision": decision})
        if decision.outcome == "scheduled" or not self._is_news(decision.uid, decision.message):
            return
        if decision.outcome == "error":
            self._log.error("%s: %s", pod, decision.message, extra=fields)
        else:
            self._log.info("%s is unschedulable: %s", pod, decision.message, extra=fields)
            if decision.victims:
                victims, node = ", ".join(decision.victims), decision.nominated_node_name
                self._log.info("%s preempts %s on %s", pod, victims, node, extra=fields)

    def _is_news(self, uid: str, message: str) -> bool:
        if self._messages.get(uid) == message:
            return False
        self._messages.pop(uid, None)
        if len(self._messages) >= REMEMBERED_PODS:
            del self._messages[next(iter(self._messages))]
        self._messages[uid] = message
        return True

    def _bind_failed(self, failed: BindFailed) -> None:
        pod = f"{failed.namespace}/{failed.name}"
        status = f"{failed.status} " if failed.status else ""
        self._log.warning(
            "bind %s -> %s failed: %s%s; %s",
            pod,
            failed.node_name,
            status,
            failed.message,
            failed.next_step,
            extra={"pod": pod, "node": failed.node_name},
        )

    def _plugin_failed(self, failed: PluginFailed) -> None:
        pod = f"{failed.namespace}/{failed.name}"
        where = f"plugin {failed.plugin!r} failed in {failed.extension_point}"
        self._log.error("%s: %s: %s", pod, where, failed.message, extra={"pod": pod})
