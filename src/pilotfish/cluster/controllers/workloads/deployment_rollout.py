"""The arithmetic of a rollout: how many replicas each ReplicaSet of a Deployment should have.

Source: kubernetes v1.36 pkg/controller/deployment/{rolling,sync}.go, util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import floor

from pilotfish.cluster.controllers.workloads.deployment_revisions import (
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    by_age,
    noted_size,
)
from pilotfish.cluster.controllers.workloads.replica_counts import (
    replicas_of,
    scaled_value,
    status_count,
)
from pilotfish.cluster.objects import JsonObject


def active(replica_sets: Iterable[JsonObject | None]) -> list[JsonObject]:
    """Give the ReplicaSets that want pods."""
    return [rs for rs in replica_sets if rs is not None and replicas_of(rs) > 0]


def is_rolling(deployment: JsonObject) -> bool:
    """Say whether pods are replaced little by little."""
    return bool((deployment["spec"].get("strategy") or {}).get("type") != "Recreate")


def bounds(deployment: JsonObject) -> tuple[int, int]:
    """Give the surge and the unavailability allowed; not both are zero."""
    wanted = replicas_of(deployment)
    if not is_rolling(deployment):
        return 0, 0
    given = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    surge = scaled_value(given.get("maxSurge"), wanted, round_up=True)
    unavailable = scaled_value(given.get("maxUnavailable"), wanted, round_up=False)
    if not surge and not unavailable:
        unavailable = 1
    return surge, min(unavailable, wanted)


def most_replicas(deployment: JsonObject) -> int:
    """Give how many pods there may be at once."""
    return replicas_of(deployment) + bounds(deployment)[0]


def new_replicas(deployment: JsonObject, everyone: Iterable[JsonObject], current: int) -> int:
    """Give the size of the new ReplicaSet, as far as the surge lets it grow."""
    wanted = replicas_of(deployment)
    if not is_rolling(deployment):
        return wanted
    room = most_replicas(deployment) - sum(replicas_of(rs) for rs in everyone)
    return current + min(room, wanted - current) if room > 0 else current


def smaller_old(
    deployment: JsonObject, new: JsonObject, old: Sequence[JsonObject]
) -> list[tuple[JsonObject, int]]:
    """Give the old ReplicaSets to scale down, with their new sizes.

    Unhealthy pods go first: they add nothing to availability.
    """
    everyone = [*old, new]
    wanted = replicas_of(deployment)
    least_available = wanted - bounds(deployment)[1]
    unavailable_new = replicas_of(new) - status_count(new, "availableReplicas")
    may_go = sum(map(replicas_of, everyone)) - least_available - unavailable_new
    if may_go <= 0 or not active(old):
        return []
    sizes = {rs["metadata"]["uid"]: replicas_of(rs) for rs in old}
    for rs in by_age(old):
        uid = rs["metadata"]["uid"]
        unhealthy = sizes[uid] - status_count(rs, "availableReplicas")
        gone = max(0, min(may_go, unhealthy))
        sizes[uid] -= gone
        may_go -= gone
    spare = sum(status_count(rs, "availableReplicas") for rs in everyone) - least_available
    for rs in by_age(old):
        uid = rs["metadata"]["uid"]
        gone = max(0, min(sizes[uid], spare))
        sizes[uid] -= gone
        spare -= gone
    changed = [(rs, sizes[rs["metadata"]["uid"]]) for rs in by_age(old)]
    return [(rs, size) for rs, size in changed if size != replicas_of(rs)]


def is_saturated(deployment: JsonObject, new: JsonObject | None) -> bool:
    """Say whether the new ReplicaSet has all the pods, and all are available."""
    if new is None:
        return False
    wanted = replicas_of(deployment)
    sizes = (
        replicas_of(new),
        noted_size(new, DESIRED_REPLICAS),
        status_count(new, "availableReplicas"),
    )
    return sizes == (wanted, wanted, wanted)


def proportional_sizes(
    deployment: JsonObject, everyone: Sequence[JsonObject]
) -> list[tuple[JsonObject, int]]:
    """Spread a change of size over the active ReplicaSets in proportion to theirs."""
    allowed = most_replicas(deployment) if replicas_of(deployment) else 0
    to_add = allowed - sum(map(replicas_of, everyone))
    ordered = by_age(everyone)
    if to_add > 0:
        ordered.reverse()  # of equal sizes, newer ones grow first and older ones shrink first
    ordered.sort(key=replicas_of, reverse=True)
    sizes, added = [], 0
    for rs in ordered:
        share = _share(deployment, rs, to_add, added)
        sizes.append(replicas_of(rs) + share)
        added += share
    if sizes:
        sizes[0] = max(0, sizes[0] + to_add - added)
    return list(zip(ordered, sizes, strict=True))


def _share(deployment: JsonObject, rs: JsonObject, to_add: int, added: int) -> int:
    if not replicas_of(rs) or to_add in (0, added):
        return 0
    fraction = _fraction(deployment, rs)
    left = to_add - added
    return min(fraction, left) if to_add > 0 else max(fraction, left)


def _fraction(deployment: JsonObject, rs: JsonObject) -> int:
    size = replicas_of(rs)
    if not replicas_of(deployment):
        return -size
    before = noted_size(rs, MAX_REPLICAS) or status_count(deployment, "replicas")
    if not before:
        return 0
    return floor(size * most_replicas(deployment) / before + 0.5) - size
