"""What the scheduler asks of its shell, and what it tells its observers.

Effects that carry a uid are executed in order for that uid and in parallel across uids. Every
exception on the way comes back as an input. Records ask for nothing: metrics, logs and dashboards
render them.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from pilotfish.api.pod import Pod
from pilotfish.core.decision import Decision
from pilotfish.framework.binding import Patch


class Bind(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Bind a pod to a node; answered by BindAnswered."""

    uid: str
    namespace: str
    name: str
    node_name: str


class ReadPod(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Read a pod from the API server itself, not from a cache; answered by PodRead."""

    uid: str
    namespace: str
    name: str


class PatchCondition(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Set the pod's condition PodScheduled=False; the uid is a precondition.

    Answered by StatusAnswered.

    Attributes:
        is_transition: whether the pod had no such condition, so that its time of transition is now.
        nominated_node_name: what to set in the same patch; empty clears it, None leaves it.
    """

    uid: str
    namespace: str
    name: str
    reason: Literal["Unschedulable", "SchedulerError"]
    message: str
    observed_generation: int
    is_transition: bool = True
    nominated_node_name: str | None = None


class PatchNomination(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Set the pod's nominated node; the uid is a precondition. Answered by StatusAnswered.

    Attributes:
        node_name: empty clears it.
    """

    uid: str
    namespace: str
    name: str
    node_name: str = ""


class EvictPod(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Set the pod's condition DisruptionTarget, then delete it; answered by EvictionAnswered.

    The uid is a precondition of both. A pod whose condition cannot be set is not deleted.

    Attributes:
        message: of the condition.
        observed_generation: of the condition, the version of the pod's spec that was judged.
    """

    uid: str
    namespace: str
    name: str
    message: str
    observed_generation: int


class PatchObject(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Patch an object for a pod that is about to be bound; answered by WriteAnswered.

    Attributes:
        uid: the pod's; its effects are executed in order.
        number: names this request in the answer.
    """

    uid: str
    number: int
    patch: Patch


class CallPlugin(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Run an asynchronous method of a plugin of the pod's profile; answered by PluginAnswered.

    Attributes:
        number: names this request in the answer.
        pod: as it was when its node was chosen.
    """

    uid: str
    number: int
    plugin: str
    extension_point: str
    pod: Pod
    node_name: str


class ObjectReference(msgspec.Struct, frozen=True):
    """A pod that an Event mentions."""

    namespace: str
    name: str
    uid: str


class RecordEvent(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Record a Kubernetes Event about a pod. Best effort: nothing depends on it.

    Attributes:
        controller: who reports it: the name of the scheduler that it is about.
        related: the other pod that it is about.
    """

    uid: str
    namespace: str
    name: str
    type: Literal["Normal", "Warning"]
    reason: str
    action: str
    note: str
    controller: str
    related: ObjectReference | None = None


class WakeAt(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """Call `decide` again at this time at the latest; replaces earlier ones.

    It is repeated when `decide` is called a little too early, as coarse timers do.
    """

    at: float


class PodSeen(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """A record: news of a pending pod of ours."""

    namespace: str
    name: str
    change: Literal["added", "updated"]


class Bound(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """A record: a pod of ours is bound; told once a pod."""

    uid: str
    namespace: str
    name: str
    node_name: str


class BindFailed(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """A record: a binding cycle did not succeed at once; `next_step` says what happens now.

    Attributes:
        status: of the answer to Bind; 0 without one.
    """

    uid: str
    namespace: str
    name: str
    node_name: str
    status: int
    message: str
    next_step: str


class PluginFailed(msgspec.Struct, frozen=True, tag=True, tag_field="effect"):
    """A record: a plugin raised where nothing depends on it, in `unreserve` or `post_bind`."""

    uid: str
    namespace: str
    name: str
    plugin: str
    extension_point: str
    message: str


Command: TypeAlias = (
    Bind
    | ReadPod
    | PatchCondition
    | PatchNomination
    | EvictPod
    | PatchObject
    | CallPlugin
    | RecordEvent
    | WakeAt
)
Record: TypeAlias = Decision | PodSeen | Bound | BindFailed | PluginFailed
Effect: TypeAlias = Command | Record
