"""The ReplicaSets of a Deployment: which is the new one, and which revision each holds.

Source: kubernetes v1.36 pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from pilotfish.api.selectors import int64
from pilotfish.cluster.controllers.workloads.template_hash import without_nothing
from pilotfish.cluster.objects import JsonObject

POD_TEMPLATE_HASH: Final = "pod-template-hash"
REVISION: Final = "deployment.kubernetes.io/revision"
REVISION_HISTORY: Final = "deployment.kubernetes.io/revision-history"
DESIRED_REPLICAS: Final = "deployment.kubernetes.io/desired-replicas"
MAX_REPLICAS: Final = "deployment.kubernetes.io/max-replicas"
_HISTORY_CHARACTERS: Final = 2000
_NOT_COPIED: Final = (
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    REVISION_HISTORY,
    DESIRED_REPLICAS,
    MAX_REPLICAS,
    "deprecated.deployment.rollback.to",
)


def by_age(replica_sets: Iterable[JsonObject]) -> list[JsonObject]:
    """Sort the oldest first."""
    return sorted(
        replica_sets,
        key=lambda rs: (rs["metadata"].get("creationTimestamp") or "", rs["metadata"]["name"]),
    )


def by_revision(replica_sets: Iterable[JsonObject]) -> list[JsonObject]:
    """Sort the lowest revision first."""
    return sorted(by_age(replica_sets), key=lambda rs: revision(rs) or 0)


def revision(obj: JsonObject) -> int | None:
    """Read a revision; 0 where there is none, None where it is no number."""
    text = annotations_of(obj).get(REVISION, "0")
    return int64(text)


def max_revision(replica_sets: Iterable[JsonObject]) -> int:
    """Give the highest revision."""
    return max((revision(rs) or 0 for rs in replica_sets), default=0)


def annotations_of(obj: JsonObject) -> dict[str, str]:
    """Give the annotations, to be read."""
    found: dict[str, str] = obj["metadata"].get("annotations") or {}
    return found


def split_by_template(
    deployment: JsonObject, replica_sets: Sequence[JsonObject]
) -> tuple[JsonObject | None, list[JsonObject]]:
    """Give the ReplicaSet with the deployment's template, and the others, all oldest first."""
    wanted = _comparable(deployment["spec"]["template"])
    ordered = by_age(replica_sets)
    new = next((rs for rs in ordered if _comparable(rs["spec"]["template"]) == wanted), None)
    return new, [rs for rs in ordered if rs is not new]


def annotate_new(deployment: JsonObject, new: JsonObject, number: int) -> bool:
    """Copy annotations and raise the revision; False where all was in place."""
    before = annotations_of(new)
    given = annotations_of(deployment)
    after = {**before, **{key: given[key] for key in given if key not in _NOT_COPIED}}
    current = revision(new)
    if current is not None and current < number:
        after[REVISION] = str(number)
        if REVISION in before:
            after[REVISION_HISTORY] = _longer_history(before)
    new["metadata"]["annotations"] = after
    return after != before


def annotate_size(replica_set: JsonObject, desired: int, most: int) -> bool:
    """Note the deployment's size, by which a later scaling is told; False where it was noted."""
    noted = {DESIRED_REPLICAS: str(desired), MAX_REPLICAS: str(most)}
    before = annotations_of(replica_set)
    replica_set["metadata"]["annotations"] = before | noted
    return before | noted != before


def noted_size(replica_set: JsonObject, key: str) -> int | None:
    """Read a size that was noted."""
    text = annotations_of(replica_set).get(key, "")
    return int64(text)


def _longer_history(before: dict[str, str]) -> str:
    history = [text for text in before.get(REVISION_HISTORY, "").split(",") if text]
    history.append(before[REVISION])
    while len(",".join(history)) > _HISTORY_CHARACTERS:
        del history[0]
    return ",".join(history)


def _comparable(template: JsonObject) -> JsonObject:
    metadata = dict(template.get("metadata") or {})
    labels = metadata.get("labels") or {}
    metadata["labels"] = {key: labels[key] for key in labels if key != POD_TEMPLATE_HASH}
    comparable: JsonObject = without_nothing({**template, "metadata": metadata})
    return comparable
