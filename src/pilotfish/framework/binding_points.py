"""Binding points: the plugins of a profile between the choice of a node and the end of the bind.

Source: kubernetes v1.36 pkg/scheduler/framework/runtime/framework.go (RunReservePluginsReserve,
    RunReservePluginsUnreserve, RunPermitPlugins, RunPreBindPlugins, RunPostBindPlugins).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.framework.answers import (
    as_assumed,
    as_denied,
    as_is,
    as_permitted,
    as_pre_bind,
    as_until,
)
from pilotfish.framework.binding import Allow, Deny, PreBind, Wait, WaitingPod
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.errors import PluginError
from pilotfish.framework.plugin_call import PluginCall
from pilotfish.framework.rejection import Rejection

LONGEST_WAIT_SECONDS: Final = 900.0  # upstream maxTimeout


class Placed(msgspec.Struct, frozen=True):
    """A pod and its chosen node.

    Attributes:
        states: what each plugin's `pre_filter` returned, by plugin name.
    """

    pod: Pod
    node_name: str
    states: Mapping[str, object]


class Refused(msgspec.Struct, frozen=True):
    """A plugin's no to the chosen node."""

    plugin: str
    rejection: Rejection


class Permitted(msgspec.Struct, frozen=True):
    """What `permit` of all plugins said.

    Attributes:
        waits: for how many seconds the pod waits, by plugin.
        allowed: the uids of waiting pods that a plugin lets go, by plugin.
        refused: who said no; nothing else counts then.
    """

    waits: Mapping[str, float]
    allowed: Mapping[str, tuple[str, ...]]
    refused: Refused | None = None


WaitingAt = Callable[[str], Sequence[WaitingPod]]  # who waits at a plugin, oldest first


class BindingPoints:
    """Calls the plugins; true if there is one."""

    def __init__(self, calls: Mapping[str, tuple[PluginCall, ...]]) -> None:
        self._reserve = calls["reserve"]
        self._unreserve = calls["unreserve"][::-1]
        self.permits = calls["permit"]
        self.pre_binds = calls["pre_bind"]
        self.post_binds = calls["post_bind"]
        self._is_there = any(
            (self._reserve, self._unreserve, self.permits, self.pre_binds, self.post_binds)
        )

    def __bool__(self) -> bool:
        return self._is_there

    def call_of(self, plugin: str, extension_point: str) -> PluginCall:
        """Return the `pre_bind` or `post_bind` of a plugin that has it."""
        calls = self.pre_binds if extension_point == "pre_bind" else self.post_binds
        return next(call for call in calls if call.name == plugin)

    def reserve(
        self, placed: Placed, cluster: Cluster, assume: Callable[[str, KubernetesObject], None]
    ) -> Refused | None:
        """Reserve, plugin by plugin; what one assumes, the next sees. The first no ends it.

        Raises:
            PluginError: a plugin raised, or broke its contract.
        """
        for call in self._reserve:
            arguments = _arguments(placed, call, cluster=cluster)
            answer = call(arguments, partial(as_assumed, call.plugin.assumes))
            if isinstance(answer, Rejection):
                return Refused(call.name, answer)
            for one in answer.objects:
                call.guarded(assume, one, placed.pod, as_is)
        return None

    def unreserve(
        self, placed: Placed, waiting_at: WaitingAt
    ) -> Iterator[tuple[PluginCall, Deny | PluginError | None]]:
        """Unreserve in reverse order; a plugin that raises does not keep the others from it."""
        for call in self._unreserve:
            try:
                yield call, call(_arguments(placed, call, waiting_at), as_denied)
            except PluginError as error:
                yield call, error

    def permit(self, placed: Placed, cluster: Cluster, waiting_at: WaitingAt) -> Permitted:
        """Ask whether the pod may go on; the first no ends it.

        Raises:
            PluginError: a plugin raised, or broke its contract.
        """
        waits: dict[str, float] = {}
        allowed: dict[str, tuple[str, ...]] = {}
        for call in self.permits:
            arguments = _arguments(placed, call, waiting_at, cluster=cluster)
            match call(arguments, as_permitted):
                case Rejection() as rejection:
                    return Permitted({}, {}, Refused(call.name, rejection))
                case Wait(timeout_seconds=seconds):
                    waits[call.name] = min(seconds, LONGEST_WAIT_SECONDS)
                case Allow(uids=uids):
                    allowed[call.name] = uids
        return Permitted(waits, allowed)

    def pre_bind(
        self, call: PluginCall, placed: Placed, cluster: Cluster
    ) -> PreBind | Rejection | None:
        """Ask one plugin, which is not asynchronous, what is to be done before the bind.

        Raises:
            PluginError: the plugin raised, or broke its contract.
        """
        arguments = _arguments(placed, call, cluster=cluster)
        return call(arguments, partial(as_pre_bind, can_wait=bool(call.plugin.reads)))

    def post_bind(self, call: PluginCall, placed: Placed) -> None:
        """Tell one plugin, which is not asynchronous, that the pod is bound.

        Raises:
            PluginError: the plugin raised.
        """
        call(_arguments(placed, call), as_is)


def is_done(call: PluginCall, work: PreBind, pod: Pod, cluster: Cluster) -> bool | Rejection:
    """Ask whether what a `pre_bind` waits for is there.

    Raises:
        PluginError: the question raised, or broke its contract.
    """
    if work.until is None:
        return True
    return call.guarded(work.until, (cluster,), pod, as_until)


def _arguments(
    placed: Placed, call: PluginCall, waiting_at: WaitingAt | None = None, **rest: Any
) -> dict[str, Any]:
    arguments = {
        "pod": placed.pod,
        "node_name": placed.node_name,
        "state": placed.states.get(call.name),
        **rest,
    }
    if waiting_at is not None and "waiting" in call.names:
        arguments["waiting"] = waiting_at(call.name)
    return arguments
