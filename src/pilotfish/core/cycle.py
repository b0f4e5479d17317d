"""One scheduling cycle: from a pod and the cluster to a Decision."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

import msgspec
import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.core.binding_cycle import Failure
from pilotfish.core.decision import SHOWN_NODES, Decision, NodeScore, RejectionCount
from pilotfish.core.message import unschedulable_message
from pilotfish.core.node_search import NodeSearch
from pilotfish.framework.arrays import RowNumbers, Scores
from pilotfish.framework.cluster import Cluster
from pilotfish.framework.errors import PluginError
from pilotfish.framework.plugin import NODE_REJECTING_POINTS, implements
from pilotfish.framework.post_filter import PostFiltered
from pilotfish.framework.profile import Profile
from pilotfish.framework.profile_results import Filtered, RejectedBy, Scored
from pilotfish.framework.stopwatch import Lap, unmeasured
from pilotfish.framework.what_if import WhatIf
from pilotfish.queue.queued_pod_info import QueuedPodInfo

ALL: Final = (0, 100)  # per cent
NO_GROUPS: Final = "pod groups are not supported by this scheduler"

Outcome: TypeAlias = Literal["scheduled", "unschedulable", "error"]


class Attempt(msgspec.Struct, frozen=True):
    """What one scheduling cycle came to.

    Attributes:
        rejector_plugins: who has to change their mind before another attempt is worth it; empty
            unless the pod is unschedulable.
        post_filtered: what can be done for it.
        states: what each plugin's `pre_filter` returned, by plugin name, if a node was chosen.
    """

    decision: Decision
    rejector_plugins: frozenset[str] = frozenset()
    post_filtered: PostFiltered = PostFiltered(forget_nomination=True)
    states: Mapping[str, object] = {}


def scheduling_cycle(
    info: QueuedPodInfo,
    profile: Profile,
    cluster: Cluster,
    search: NodeSearch,
    rng: random.Random,
    lap: Lap = unmeasured,
) -> Attempt:
    """Choose a node for a pod, or say why there is none.

    A pod for which a plugin failed in the queue fails by that.

    One feasible node is chosen without scoring; among equally good ones the generator chooses.

    Source: kubernetes v1.36 pkg/scheduler/schedule_one.go (schedulePod, evaluateNominatedNode).
    """
    pod = info.pod
    if info.error:
        return Attempt(_decision(info, "error", nodes=len(cluster.nodes), message=info.error))
    if pod.spec.scheduling_group is not None:
        return _grouped(info, len(cluster.nodes))
    try:
        filtered, what_if, rows = _search(pod, profile, cluster, search, lap)
        if not len(rows):
            return _unschedulable(info, cluster, filtered, what_if, rng, lap)
        scored = None
        if len(rows) > 1:
            scored = profile.score(pod, cluster, filtered, lap)
            lap("Score", "Success")
    except PluginError as error:
        lap("".join(word.capitalize() for word in error.extension_point.split("_")), "Error")
        return Attempt(_decision(info, "error", nodes=len(cluster.nodes), message=str(error)))
    return _scheduled(info, cluster, filtered, rows, scored, rng)


def _scheduled(
    info: QueuedPodInfo,
    cluster: Cluster,
    filtered: Filtered,
    rows: RowNumbers,
    scored: Scored | None,
    rng: random.Random,
) -> Attempt:
    """Make the attempt of a pod for which these rows are feasible, and scored if several."""
    names = cluster.nodes.names
    best: RowNumbers = rows
    shown: tuple[NodeScore, ...] = ()
    if scored is not None:
        totals = scored.total[rows]
        best = rows[totals == totals.max()]
        shown = _best_scores(names, rows, totals, best, scored)
    chosen = int(best[rng.randrange(len(best))]) if len(best) > 1 else int(best[0])
    return Attempt(
        _decision(
            info,
            "scheduled",
            node_name=names[chosen],
            nodes=len(names),
            feasible=len(rows),
            rejections=_counts(filtered.rejections, len(names)),
            best=shown,
            tied=len(best),
            ties=tuple(names[row] for row in best[:SHOWN_NODES].tolist()),
        ),
        states=filtered.states,
    )


def _search(
    pod: Pod, profile: Profile, cluster: Cluster, search: NodeSearch, lap: Lap
) -> tuple[Filtered, WhatIf, RowNumbers]:
    """Find the nodes among which to choose; the pod's nominated node alone if it is feasible."""
    filtered = profile.filter(pod, cluster, lap)
    what_if = WhatIf.of(profile, pod, cluster, filtered.states)
    filtered = what_if.beside_nominated(filtered)
    rows = np.flatnonzero(filtered.feasible)
    nominated = cluster.nodes.row_of.get(cluster.nominated_node(pod))
    if nominated is not None and filtered.feasible[nominated]:
        rows = rows[rows == nominated]  # room was made for the pod there
    elif profile.percentage_of_nodes_to_score not in ALL:
        filtered = search.found(pod, profile, cluster, filtered)
        rows = np.flatnonzero(filtered.feasible)
    if not any(rejection.mask is None for rejection in filtered.rejections):
        lap("Filter", "Success")  # as upstream says even where no node is left
    return filtered, what_if, rows


def failed_attempt(attempt: Attempt, failure: Failure) -> Attempt:
    """Make the attempt of a pod that cannot have the node chosen for it."""
    is_rejected = failure.reason == "Unschedulable"
    decision = msgspec.structs.replace(
        attempt.decision,
        outcome="unschedulable" if is_rejected else "error",
        node_name="",
        message=failure.message,
    )
    return Attempt(decision, frozenset(failure.rejectors))


def _unschedulable(
    info: QueuedPodInfo,
    cluster: Cluster,
    filtered: Filtered,
    what_if: WhatIf,
    rng: random.Random,
    lap: Lap,
) -> Attempt:
    """Make the attempt of a pod for which no node is feasible.

    differs: without any node upstream tries again when the back-off is over. Here the pod waits for
    an event as if every plugin had rejected it, so the first node gets it at once.
    """
    nodes, profile = len(cluster.nodes), what_if.profile
    done = PostFiltered(forget_nomination=True)
    if nodes and profile.has("post_filter"):
        done = profile.post_filter(info.pod, cluster, filtered, what_if)
        lap("PostFilter", "Success" if done.nomination else "Unschedulable")
    if done.nomination and done.nomination.ties:
        among = (done.nomination, *done.nomination.ties)
        done = msgspec.structs.replace(done, nomination=among[rng.randrange(len(among))])
    nomination = done.nomination
    decision = _decision(
        info,
        "unschedulable",
        nodes=nodes,
        rejections=_counts(filtered.rejections, nodes),
        message=unschedulable_message(nodes, filtered.rejections, done.message),
        nominated_node_name=nomination.node_name if nomination else "",
        victims=tuple(victim.key for victim in nomination.victims) if nomination else (),
    )
    if nodes:
        by = {name for rejection in filtered.rejections for name in rejection.plugin.split()}
    else:
        plugins = [one.plugin for one in profile.enabled]
        by = {
            p.name for p in plugins if any(implements(p, point) for point in NODE_REJECTING_POINTS)
        }
    return Attempt(decision, frozenset(by), done)


def _grouped(info: QueuedPodInfo, nodes: int) -> Attempt:
    """Make the attempt of a pod that is to be scheduled with its group or not at all.

    differs: upstream's GangScheduling, an alpha feature, is not built. While it is off, upstream
    schedules such pods one by one, which those who made the group do not want.
    """
    rejected = RejectedBy("GangScheduling", NO_GROUPS, resolvable=False, mask=None)
    decision = _decision(
        info,
        "unschedulable",
        nodes=nodes,
        rejections=_counts((rejected,), nodes),
        message=unschedulable_message(nodes, (rejected,)),
    )
    return Attempt(decision, frozenset({rejected.plugin}))


def _decision(info: QueuedPodInfo, outcome: Outcome, *, feasible: int = 0, **rest: Any) -> Decision:
    pod: Pod = info.pod
    meta = pod.metadata
    return Decision(
        uid=meta.uid,
        namespace=meta.namespace,
        name=meta.name,
        scheduler_name=pod.spec.scheduler_name,
        attempt=info.attempts,
        outcome=outcome,
        feasible=feasible,
        **rest,
    )


def _counts(rejections: Sequence[RejectedBy], nodes: int) -> tuple[RejectionCount, ...]:
    return tuple(
        RejectionCount(
            rejection.plugin,
            rejection.reason,
            nodes if rejection.mask is None else int(np.count_nonzero(rejection.mask)),
            rejection.resolvable,
        )
        for rejection in rejections
    )


def _best_scores(
    names: list[str], rows: RowNumbers, totals: Scores, best: RowNumbers, scored: Scored
) -> tuple[NodeScore, ...]:
    """Name the best nodes; a full order is needed only of the few that are shown."""
    if len(best) >= SHOWN_NODES:
        top = best[:SHOWN_NODES]
    else:
        if len(rows) > SHOWN_NODES:
            among = np.argpartition(-totals, SHOWN_NODES)[:SHOWN_NODES]
            rows, totals = rows[among], totals[among]
        top = rows[np.lexsort((rows, -totals))]
    by_plugin = {name: scores[top].tolist() for name, scores in scored.by_plugin.items()}
    return tuple(
        NodeScore(names[row], total, {name: values[i] for name, values in by_plugin.items()})
        for i, (row, total) in enumerate(zip(top.tolist(), scored.total[top].tolist(), strict=True))
    )
