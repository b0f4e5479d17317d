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

A plugin reads only its arguments, keeps nothing between pods, and never waits. It is constructed
once a profile, from its own arguments only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar, TypeAlias

from pilotfish.framework.arrays import Scores
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.post_filter import Decline, Nominate
from pilotfish.framework.rejection import NodeSubset, Reject, Skip

EXTENSION_POINTS: dict[str, frozenset[str]] = {
    "sort_key": frozenset({"pod", "timestamp"}),
    "pre_enqueue": frozenset({"pod"}),
    "pre_filter": frozenset({"pod", "cluster", "nodes"}),
    "filter": frozenset({"pod", "nodes", "state", "alive"}),
    "post_filter": frozenset({"pod", "cluster", "nodes", "state", "rejections", "what_if"}),
    "pre_score": frozenset({"pod", "cluster", "nodes", "feasible", "state"}),
    "score": frozenset({"pod", "nodes", "feasible", "state"}),
}
"""The arguments that each method may declare."""

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

    Attributes:
        name: upstream's name where upstream has the plugin.
        requeue_on: the kinds of events that can undo a rejection of this plugin; needed by whoever
            can reject.
        reads: the kinds of objects beside pods and nodes that it needs to know, by plural name.
            Where the server hides one, the plugin is run as if there were none.
        is_verified: whether the project's own tests prove that scores stay in 0..100 and that
            sort keys compare; others are checked at each use.
    """

    name: ClassVar[str]
    requeue_on: ClassVar[frozenset[ClusterEvent] | set[ClusterEvent]] = frozenset()
    reads: frozenset[str] | set[str] = frozenset()
    is_verified: ClassVar[bool] = False

    sort_key: Callable[..., tuple[Any, ...]]
    pre_enqueue: Callable[..., Reject | None]
    pre_filter: Callable[..., PreFilterResult]
    filter: Callable[..., Iterator[Reject]]
    post_filter: Callable[..., Nominate | Decline]
    pre_score: Callable[..., object]
    score: Callable[..., Scores]


def implements(plugin: Plugin, extension_point: str) -> bool:
    """Say whether a plugin has a method for an extension point."""
    return callable(getattr(plugin, extension_point, None))
