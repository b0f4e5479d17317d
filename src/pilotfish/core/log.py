"""The input log: every call of a scheduler as one line of JSON, from which any run can be repeated.

A log and the seed are a whole bug report: the same calls on a scheduler with the same profiles and
seed give the same effects, byte for byte as `encode_effects` writes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from pilotfish.api import codec
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.node import Node
from pilotfish.api.node_metrics import NodeMetrics
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import (
    Namespace,
    PodDisruptionBudget,
    ReplicaSet,
    ReplicationController,
    Service,
    StatefulSet,
)
from pilotfish.cache.volume_index import KINDS as VOLUME_KINDS
from pilotfish.core.cache_writers import NODE_METRICS
from pilotfish.core.effects import Effect
from pilotfish.core.inputs import (
    Absent,
    Applied,
    BindAnswered,
    Deleted,
    EvictionAnswered,
    Input,
    PluginAnswered,
    PodRead,
    PollCycle,
    Replaced,
    StatusAnswered,
    Unreadable,
    WriteAnswered,
)
from pilotfish.core.scheduler import Scheduler

TYPES: Final[dict[str, type[KubernetesObject]]] = {
    "pods": Pod,
    "nodes": Node,
    "namespaces": Namespace,
    "services": Service,
    "replicationcontrollers": ReplicationController,
    "replicasets": ReplicaSet,
    "statefulsets": StatefulSet,
    "poddisruptionbudgets": PodDisruptionBudget,
    NODE_METRICS: NodeMetrics,
    **VOLUME_KINDS,
}


class HandleCall(msgspec.Struct, frozen=True, tag="handle", tag_field="call"):
    """A call of `handle`."""

    now: float
    input: Input


class DecideCall(msgspec.Struct, frozen=True, tag="decide", tag_field="call"):
    """A call of `decide`."""

    now: float
    max_cycles: int


Call: TypeAlias = HandleCall | DecideCall


def encode_call(call: Call) -> bytes:
    """Make a line of the log, without its end."""
    return codec.encode(call)


def decode_call(line: bytes) -> Call:
    """Read a line of the log.

    Raises:
        msgspec.DecodeError: it is no such line.
        MalformedObjectError: an object in it does not have the shape of its kind.
    """
    call = _LINE.decode(line)
    return call if isinstance(call, DecideCall) else HandleCall(call.now, _decode_input(call.input))


def encode_effects(effects: Sequence[Effect]) -> bytes:
    """Make a line of what a call gave, without its end."""
    return codec.encode(effects)


def replay(call: Call, scheduler: Scheduler) -> list[Effect]:
    """Repeat a call."""
    match call:
        case HandleCall():
            return scheduler.handle(call.input, call.now)
        case DecideCall():
            return scheduler.decide(call.now, call.max_cycles)[0]


class _HandleLine(msgspec.Struct, frozen=True, tag="handle", tag_field="call"):
    now: float
    input: msgspec.Raw


class _News(msgspec.Struct, frozen=True):
    """Any input; objects are left as they are, for their type hangs on the kind."""

    type: str
    kind: str = ""
    object: msgspec.Raw = msgspec.Raw()
    objects: tuple[msgspec.Raw, ...] = ()
    unreadable: tuple[str, ...] = ()


_LINE: Final = msgspec.json.Decoder(_HandleLine | DecideCall)
_NEWS: Final = msgspec.json.Decoder(_News)
_OTHER: Final = msgspec.json.Decoder(
    Unreadable
    | Absent
    | PollCycle
    | BindAnswered
    | PodRead
    | StatusAnswered
    | EvictionAnswered
    | WriteAnswered
    | PluginAnswered,
    dec_hook=codec.dec_hook,
)


def _decode_input(raw: msgspec.Raw) -> Input:
    news = _NEWS.decode(raw)
    kind = TYPES.get(news.kind, KubernetesObject)
    match news.type:
        case "Applied":
            return Applied(news.kind, codec.decode(kind, news.object))
        case "Deleted":
            return Deleted(news.kind, codec.decode(kind, news.object))
        case "Replaced":
            objects = tuple(codec.decode(kind, thing) for thing in news.objects)
            return Replaced(news.kind, objects, news.unreadable)
        case _:
            other: Input = _OTHER.decode(raw)
            return other
