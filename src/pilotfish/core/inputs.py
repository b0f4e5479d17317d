"""What the shells tell the scheduler. Each is a fact about the world, never a command."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from pilotfish.api.meta import KubernetesObject
from pilotfish.api.pod import Pod
from pilotfish.framework.rejection import Rejection

Kind: TypeAlias = str  # the plural of the API: "pods", "nodes", "namespaces"


class Replaced(msgspec.Struct, frozen=True, tag=True):
    """A complete list of a kind: the first, one after a gap in the watch, or a polling cycle's.

    What was known and is not in it is gone. Until each kind that a profile needs has been replaced
    once, or is `Absent`, nothing is decided.
    """

    kind: Kind
    objects: tuple[KubernetesObject, ...]
    unreadable: tuple[str, ...] = ()  # uids in the list of which only this is known: see Unreadable


class Applied(msgspec.Struct, frozen=True, tag=True):
    """An object was added or changed."""

    kind: Kind
    object: KubernetesObject


class Deleted(msgspec.Struct, frozen=True, tag=True):
    """An object is gone; this is its last state."""

    kind: Kind
    object: KubernetesObject


class Unreadable(msgspec.Struct, frozen=True, tag=True):
    """An object is there, but its present version cannot be read.

    A bound or assumed pod goes on counting as it was known last; a pending pod is not scheduled and
    a node takes no pods, until a version comes that can be read.
    """

    kind: Kind
    namespace: str
    name: str
    uid: str


class Absent(msgspec.Struct, frozen=True, tag=True):
    """The server does not have this kind, or hides it; it is lived without."""

    kind: Kind


class PollCycle(msgspec.Struct, frozen=True, tag=True):
    """A polling cycle's lists are complete; pods that are not in back-off are worth an attempt."""


class BindAnswered(msgspec.Struct, frozen=True, tag=True):
    """What became of a Bind effect.

    Attributes:
        outcome: "bound": the server said so. "refused": it surely did not happen (400, 403, 404,
            422, or the request was never sent). "unknown": it may have happened or may still happen
            (409, 5xx, a time-out, a cut connection).
        status: the HTTP status; 0 without an answer.
        message: for people.
    """

    uid: str
    node_name: str
    outcome: Literal["bound", "refused", "unknown"]
    status: int = 0
    message: str = ""


class PodRead(msgspec.Struct, frozen=True, tag=True):
    """What a ReadPod effect found.

    Attributes:
        pod: the pod as it is now; None when no pod of this uid exists any more.
        error: why the truth could not be read; empty when it was.
    """

    uid: str
    pod: Pod | None = None
    error: str = ""


class StatusAnswered(msgspec.Struct, frozen=True, tag=True):
    """What became of a patch of a pod's status; a failed one is sent again by the next attempt."""

    uid: str
    is_written: bool
    message: str = ""


class EvictionAnswered(msgspec.Struct, frozen=True, tag=True):
    """What became of an EvictPod effect.

    Attributes:
        outcome: "evicted": the server deletes it. "gone": there was no such pod any more. "failed":
            it stays where it is.
        message: why it failed, for people.
    """

    uid: str
    outcome: Literal["evicted", "gone", "failed"]
    message: str = ""


class WriteAnswered(msgspec.Struct, frozen=True, tag=True):
    """What became of a PatchObject effect; the error is empty when it was written."""

    uid: str
    number: int
    error: str = ""


class PluginAnswered(msgspec.Struct, frozen=True, tag=True):
    """What became of a CallPlugin effect.

    Attributes:
        rejection: what the method returned.
        error: what it raised, or that it took too long; empty when it returned.
    """

    uid: str
    namespace: str
    name: str
    number: int
    plugin: str
    extension_point: str
    rejection: Rejection | None = None
    error: str = ""


Input: TypeAlias = (
    Replaced
    | Applied
    | Deleted
    | Unreadable
    | Absent
    | PollCycle
    | BindAnswered
    | PodRead
    | StatusAnswered
    | EvictionAnswered
    | WriteAnswered
    | PluginAnswered
)
