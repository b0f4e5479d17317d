"""The plugin interface.

A plugin is a class with a `name` and any of the methods below; it implements an extension point by
defining the method. A method declares the arguments that it needs, by these names, and is given
only those:

    pod        the pod to place (pilotfish.api.Pod)
    cluster    what is known of the cluster beyond the nodes' columns
    nodes      the NodeTable
    state      what this plugin's own `pre_filter` (or `pre_score`, for `score`) returned
    alive      bool[N]: nodes that no earlier plugin rejected; `filter` need not look at others
    feasible   bool[N]: nodes that passed every filter
    rejections what the filters rejected, each with its mask (for `post_filter`)
    what_if    asks what if pods were on a node or not (for `post_filter`)
    node_name  the node chosen for the pod
    waiting    the pods that wait at this plugin's `permit`, oldest first, each a WaitingPod

A plugin reads only its arguments and never waits. It keeps nothing between pods, but for what
`reserve` notes and `unreserve` strikes out. It is constructed once a profile, from its own
arguments only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, ClassVar, Final, TypeAlias

from pilotfish.framework.arrays import Scores
from pilotfish.framework.binding import Allow, Assume, Deny, PreBind, Wait
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.post_filter import Decline, Nominate
from pilotfish.framework.rejection import NodeSubset, Reject, Rejection, Skip

EXTENSION_POINTS: dict[str, frozenset[str]] = {
    "sort_key": frozenset({"pod", "timestamp"}),
    "pre_enqueue": frozenset({"pod"}),
    "pre_filter": frozenset({"pod", "cluster", "nodes"}),
    "filter": frozenset({"pod", "nodes", "state", "alive"}),
    "post_filter": frozenset({"pod", "cluster", "nodes", "state", "rejections", "what_if"}),
    "pre_score": frozenset({"pod", "cluster", "nodes", "feasible", "state"}),
    "score": frozenset({"pod", "nodes", "feasible", "state"}),
    "reserve": frozenset({"pod", "node_name", "cluster", "state"}),
    "unreserve": frozenset({"pod", "node_name", "state", "waiting"}),
    "permit": frozenset({"pod", "node_name", "cluster", "state", "waiting"}),
    "pre_bind": frozenset({"pod", "node_name", "cluster", "state"}),
    "post_bind": frozenset({"pod", "node_name"}),
}
"""The arguments that each method may declare."""

NODE_REJECTING_POINTS: Final = ("pre_enqueue", "pre_filter", "filter")
REJECTING_POINTS: Final = (*NODE_REJECTING_POINTS, "reserve", "permit")

ASYNC_POINTS: Final = frozenset({"pre_bind", "post_bind"})
ASYNC_ARGUMENTS: Final = frozenset({"pod", "node_name"})
"""Where a method may be `async`, and what it may ask for then: it runs beside other cycles."""

PreFilterResult: TypeAlias = object | Reject | NodeSubset | Skip | None


class Plugin:
    """What every plugin is. Subclasses define the extension points that they implement.

    The contracts:

    `sort_key(pod, timestamp) -> tuple`: the order of the active queue, smaller first; exactly one
        plugin of a profile has it. `timestamp` is when the pod entered the queue, in seconds.
    `pre_enqueue(pod) -> Reject | None`: called when a pod is about to become active; a Reject keeps
        it out of the queue until one of `requeue_on` happens. The mask is None.
    `pre_filter(pod, cluster, nodes) -> state | Reject | NodeSubset | SKIP | None`: called once a
        scheduling cycle. Any other object is the `state` that `filter` gets. A Reject ends the
        cycle for the pod; SKIP turns `filter` off for this pod. State that depends on pods of
        other nodes offers `with_changes(changes)`, for what-if questions: it takes what
        `nodes.overlay` takes and returns the state for that overlay, in which each row is a
        question of its own, as if only its own changes had happened.
    `filter(pod, nodes, state, alive) -> Iterator[Reject]`: called at most once a table; yields what
        is rejected. The same node may be rejected for several reasons by one plugin; later plugins
        are not asked about it.
    `post_filter(pod, cluster, nodes, state, rejections, what_if) -> Nominate | Decline`: called
        when no node is feasible, one plugin after the other until one nominates a node.
    `pre_score(pod, cluster, nodes, feasible, state) -> state | SKIP | None`: called once, only if
        two nodes or more are feasible. What it returns replaces `state` for `score`; None leaves
        it; SKIP turns `score` off for this pod.
    `score(pod, nodes, feasible, state) -> int64[N]`: 0..100 where feasible, normalised over the
        feasible nodes; other entries are ignored.

    The pod counts on the chosen node, `node_name`, from before `reserve` until it is bound or all
    is undone. `state` is what this plugin's `pre_filter` returned for the pod.

    `reserve(pod, node_name, cluster, state) -> Assume | Rejection | None`: called once, in the
        scheduling cycle, for the chosen node. The objects of Assume count from then on. The plugin
        may note the reservation in attributes of its own too.
    `unreserve(pod, node_name, state, waiting) -> Deny | None`: called when anything fails after the
        choice of the node, for every plugin that has it, in reverse order, be its own `reserve`
        done, refused or never reached: so it must be idempotent. What was assumed for the pod
        counts no more already. Deny ends the wait of others, such as the rest of a group.
    `permit(pod, node_name, cluster, state, waiting) -> Wait | Allow | Rejection | None`: the last
        point of the scheduling cycle. None lets the pod go on. With Wait it waits, and other pods
        are decided meanwhile, until the plugin allows it when asked about a later pod, or denies it
        in `unreserve`, or the time is over, which counts as a rejection. With Allow the pod goes on
        itself.
    `pre_bind(pod, node_name, cluster, state) -> PreBind | Rejection | None`: called when the pod
        waits no more, one plugin after the other; the next is asked when what this one wanted is
        done. A Rejection is Unschedulable, and the pod is tried again after its back-off.
    `post_bind(pod, node_name) -> None`: called once the bind is sure. What it raises is logged.

    `pre_bind` and `post_bind` may be `async def`: then they may ask for `pod` and `node_name`, the
    shell runs them beside everything else, each at most `call_timeout_seconds` long, and `pre_bind`
    returns a Rejection or None. Only `async` methods may do I/O. A replay calls none of them.

    What `reserve` or `permit` rejects waits for one of `requeue_on`; what raises is tried again
    after a back-off. Raise BindingError to have its text, and no more, in the message.

    Attributes:
        name: upstream's name where upstream has the plugin.
        requeue_on: the kinds of events that can undo a rejection of this plugin; needed by whoever
            can reject.
        reads: the kinds of objects beside pods and nodes that it needs to know, by plural name.
            Where the server hides one, the plugin is run as if there were none. News of one is
            when a PreBind's `until` is asked again.
        assumes: the kinds, out of `reads`, whose objects `reserve` may assume.
        reads_pods: whether `filter` reads which pods are in place, on the node or elsewhere, and
            not only `nodes.requested` and `nodes.pod_count`. Preemption asks plugins that do not
            about many nodes at once.
        call_timeout_seconds: how long an `async` method may take.
        is_verified: whether the project's own tests prove that scores stay in 0..100 and that
            sort keys compare; others are checked at each use.
    """

    name: ClassVar[str]
    requeue_on: ClassVar[frozenset[ClusterEvent] | set[ClusterEvent]] = frozenset()
    reads: frozenset[str] | set[str] = frozenset()
    assumes: ClassVar[frozenset[str] | set[str]] = frozenset()
    reads_pods: ClassVar[bool] = True
    call_timeout_seconds: ClassVar[float] = 10.0
    is_verified: ClassVar[bool] = False

    sort_key: Callable[..., tuple[Any, ...]]
    pre_enqueue: Callable[..., Reject | None]
    pre_filter: Callable[..., PreFilterResult]
    filter: Callable[..., Iterator[Reject]]
    post_filter: Callable[..., Nominate | Decline]
    pre_score: Callable[..., object]
    score: Callable[..., Scores]
    reserve: Callable[..., Assume | Rejection | None]
    unreserve: Callable[..., Deny | None]
    permit: Callable[..., Wait | Allow | Rejection | None]
    pre_bind: Callable[..., PreBind | Rejection | Awaitable[Rejection | None] | None]
    post_bind: Callable[..., Awaitable[None] | None]


def implements(plugin: Plugin | type[Plugin], extension_point: str) -> bool:
    """Say whether a plugin has a method for an extension point."""
    return callable(getattr(plugin, extension_point, None))


def check_plugin(plugin: Plugin) -> None:
    """Raise ProfileError for a plugin that is wrong in itself."""
    rejecting = [point for point in REJECTING_POINTS if implements(plugin, point)]
    if rejecting and not plugin.requeue_on:
        raise ProfileError(
            f"plugin {plugin.name!r} can reject pods in {rejecting[0]} but has no requeue_on; "
            "name the events that can undo its rejections"
        )
    unread = ", ".join(sorted(set(plugin.assumes) - set(plugin.reads)))
    if unread:
        raise ProfileError(f"plugin {plugin.name!r} assumes {unread}, which it does not read")
