"""Deployments: a ReplicaSet for each template, and replicas moved from the old ones to the new.

Theory of operation: each sync brings the deployment one step on, writes the status, and waits for
the ReplicaSets to follow. When the wanted size differs from the one noted on the ReplicaSets, or
the deployment is paused, all are scaled in proportion and nothing is rolled out in that step.

Source: kubernetes v1.36 pkg/controller/deployment/{deployment_controller,sync,rolling,recreate}.go.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.owning import controller_of, controller_reference, read_selector
from pilotfish.cluster.controllers.pod_index import Key, PodIndex
from pilotfish.cluster.controllers.workloads.deployment_revisions import (
    DESIRED_REPLICAS,
    POD_TEMPLATE_HASH,
    REVISION,
    annotate_new,
    annotate_size,
    annotations_of,
    by_revision,
    max_revision,
    noted_size,
    split_by_template,
)
from pilotfish.cluster.controllers.workloads.deployment_rollout import (
    active,
    is_rolling,
    is_saturated,
    most_replicas,
    new_replicas,
    proportional_sizes,
    smaller_old,
)
from pilotfish.cluster.controllers.workloads.deployment_status import (
    is_complete,
    next_progress_check,
    note_failures,
    note_pause,
    note_progress,
    progressing,
    rollout_status,
)
from pilotfish.cluster.controllers.workloads.pod_control import is_namespace_terminating
from pilotfish.cluster.controllers.workloads.replica_counts import replicas_of, status_count
from pilotfish.cluster.controllers.workloads.template_hash import template_hash
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.events.recorder import Recorder
from pilotfish.cluster.kinds import DEPLOYMENTS, REPLICA_SETS
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.store import Change

UNLIMITED: Final = 2**31 - 1  # a revisionHistoryLimit that keeps everything
_NAME_LENGTH: Final = 253


class DeploymentController(Controller):
    """Rolls out, scales and tells the status of each Deployment."""

    watches = (DEPLOYMENTS, REPLICA_SETS)

    def __init__(self, client: LoopbackClient, pods: PodIndex, recorder: Recorder) -> None:
        super().__init__(client, pods, recorder)
        self._events = recorder.source("deployment-controller", DEPLOYMENTS)

    def observe(self, change: Change, now: float) -> Iterable[Key]:
        """Give a Deployment itself; for a ReplicaSet its owner, or whoever may adopt it."""
        if change.storage == DEPLOYMENTS.storage:
            return super().observe(change, now)
        replica_set: JsonObject = msgspec.json.decode(change.new.body)
        owner = controller_of(replica_set)
        if owner is not None:
            is_ours = owner["kind"] == DEPLOYMENTS.kind
            return [(change.new.namespace, owner["name"])] if is_ours else []
        return [
            (change.new.namespace, deployment["metadata"]["name"])
            for deployment in self.client.list(DEPLOYMENTS, change.new.namespace)
            if (selector := read_selector(deployment)) and selector.matches(change.new.labels)
        ]

    def sync(self, key: Key, now: float) -> float | None:
        """Take the next step of a rollout or a scaling, and tell the status."""
        deployment = self.client.get(DEPLOYMENTS, *key)
        if deployment is None or read_selector(deployment) is None:
            return None
        before = copy.deepcopy(deployment)
        deployment.setdefault("status", {})
        new, old = split_by_template(deployment, self._claim(deployment, now))
        if deployment["metadata"].get("deletionTimestamp") is not None:
            self._write(before, deployment, new, old, now, estimate=False)
            return None
        note_pause(deployment, now)
        if new is not None:
            new = self._refresh(deployment, new, old, now)
        is_paused = deployment["spec"].get("paused", False)
        if is_paused or _is_scaled([*old, *([new] if new else [])], replicas_of(deployment)):
            new, old = self._scale(deployment, new, old, now)
            if is_paused:
                self._delete_history(deployment, old, now)
            self._write(before, deployment, new, old, now, estimate=False)
            return None
        roll = self._roll if is_rolling(deployment) else self._recreate
        new, old = roll(deployment, new, old, now)
        self._write(before, deployment, new, old, now, estimate=True)
        return next_progress_check(deployment, now)

    def _claim(self, deployment: JsonObject, now: float) -> list[JsonObject]:
        """Give the deployment's ReplicaSets, adopting orphans that it selects.

        differs: a ReplicaSet that is relabelled away is passed over, but keeps its owner.
        """
        selector = read_selector(deployment)
        meta = deployment["metadata"]
        ours = []
        for stored in self.client.store.list(REPLICA_SETS.storage, meta["namespace"]).items:
            if selector is None or not selector.matches(stored.labels):
                continue
            replica_set: JsonObject = msgspec.json.decode(stored.body)
            owner = controller_of(replica_set)
            is_going = "deletionTimestamp" in meta or "deletionTimestamp" in replica_set["metadata"]
            if owner is None and not is_going:
                references = replica_set["metadata"].get("ownerReferences") or []
                reference = controller_reference(DEPLOYMENTS, deployment)
                replica_set["metadata"]["ownerReferences"] = [*references, reference]
                ours.append(self.client.update(REPLICA_SETS, replica_set, now))
            elif owner is not None and owner["uid"] == meta["uid"]:
                ours.append(replica_set)
        return ours

    def _refresh(
        self, deployment: JsonObject, new: JsonObject, old: Sequence[JsonObject], now: float
    ) -> JsonObject:
        """Bring the revision, copied annotations and minReadySeconds of the new one up to date."""
        min_ready_seconds = deployment["spec"].get("minReadySeconds", 0)
        is_changed = annotate_new(deployment, new, max_revision(old) + 1)
        if new["spec"].get("minReadySeconds", 0) != min_ready_seconds:
            new["spec"]["minReadySeconds"] = min_ready_seconds
            is_changed = True
        if is_changed:
            new = self.client.update(REPLICA_SETS, new, now)
        self._note_revision(deployment, new)
        name = new["metadata"]["name"]
        message = f'Found new replica set "{name}"'
        progressing(deployment, "FoundNewReplicaSet", message, now, only_first=True)
        return new

    def _note_revision(self, deployment: JsonObject, new: JsonObject) -> None:
        metadata = deployment["metadata"]
        noted = annotations_of(new).get(REVISION)
        if noted is not None:
            metadata["annotations"] = annotations_of(deployment) | {REVISION: noted}

    def _create(
        self, deployment: JsonObject, old: Sequence[JsonObject], now: float
    ) -> JsonObject | None:
        """Create the new ReplicaSet; None where another template has its name already."""
        made = _replica_set_of(deployment)
        made["spec"]["replicas"] = new_replicas(deployment, old, 0)
        annotate_new(deployment, made, max_revision(old) + 1)
        annotate_size(made, replicas_of(deployment), most_replicas(deployment))
        name = made["metadata"]["name"]
        try:
            created = self.client.create(REPLICA_SETS, made, now)
        except StatusError as error:
            if error.reason == "AlreadyExists":
                status = deployment["status"]
                status["collisionCount"] = status.get("collisionCount", 0) + 1
                return None
            if not is_namespace_terminating(error):
                message = f'Failed to create new replica set "{name}": {error.message}'
                progressing(deployment, "ReplicaSetCreateError", message, now, status="False")
                self._events.warning(deployment, "ReplicaSetCreateError", message, now)
                self.client.update_status(DEPLOYMENTS, deployment, now)
            raise
        if size := replicas_of(created):
            message = f"Scaled up replica set {name} from 0 to {size}"
            self._events.normal(deployment, "ScalingReplicaSet", message, now)
        self._note_revision(deployment, created)
        message = f'Created new replica set "{name}"'
        progressing(deployment, "NewReplicaSetCreated", message, now)
        return created

    def _resize(
        self, deployment: JsonObject, replica_set: JsonObject, size: int, now: float
    ) -> JsonObject:
        """Scale a ReplicaSet, noting the deployment's size on it."""
        before = replicas_of(replica_set)
        noted = annotate_size(replica_set, replicas_of(deployment), most_replicas(deployment))
        if before == size and not noted:
            return replica_set
        replica_set["spec"]["replicas"] = size
        written = self.client.update(REPLICA_SETS, replica_set, now)
        if before != size:
            name, way = written["metadata"]["name"], "up" if size > before else "down"
            message = f"Scaled {way} replica set {name} from {before} to {size}"
            self._events.normal(deployment, "ScalingReplicaSet", message, now)
        return written

    def _resize_all(
        self,
        deployment: JsonObject,
        everyone: Iterable[JsonObject],
        sizes: Iterable[tuple[JsonObject, int]],
        now: float,
    ) -> list[JsonObject]:
        """Scale some ReplicaSets, and give all as they are then."""
        changed = {
            rs["metadata"]["uid"]: self._resize(deployment, rs, size, now) for rs, size in sizes
        }
        return [changed.get(rs["metadata"]["uid"], rs) for rs in everyone]

    def _scale(
        self, deployment: JsonObject, new: JsonObject | None, old: list[JsonObject], now: float
    ) -> tuple[JsonObject | None, list[JsonObject]]:
        """Scale without rolling out."""
        everyone = [*old, *([new] if new else [])]
        candidates = active(everyone) or ([new] if new else old[-1:])
        if not candidates:
            return new, old
        sizes: Sequence[tuple[JsonObject, int]] = []
        if len(candidates) == 1:
            if replicas_of(candidates[0]) != replicas_of(deployment):
                sizes = [(candidates[0], replicas_of(deployment))]
        elif is_saturated(deployment, new):
            sizes = [(rs, 0) for rs in active(old)]
        elif is_rolling(deployment):
            sizes = proportional_sizes(deployment, candidates)
        everyone = self._resize_all(deployment, everyone, sizes, now)
        return (everyone[-1], everyone[:-1]) if new else (None, everyone)

    def _roll(
        self, deployment: JsonObject, new: JsonObject | None, old: list[JsonObject], now: float
    ) -> tuple[JsonObject | None, list[JsonObject]]:
        """Grow the new ReplicaSet as far as allowed, else shrink the old ones."""
        new = new or self._create(deployment, old, now)
        if new is None:
            return None, old
        wanted, size = replicas_of(deployment), replicas_of(new)
        if size != wanted:
            target = wanted if size > wanted else new_replicas(deployment, [*old, new], size)
            if target != size:
                return self._resize(deployment, new, target, now), old
        sizes = smaller_old(deployment, new, old)
        if sizes:
            return new, self._resize_all(deployment, old, sizes, now)
        if is_complete(deployment, deployment["status"]):
            self._delete_history(deployment, old, now)
        return new, old

    def _recreate(
        self, deployment: JsonObject, new: JsonObject | None, old: list[JsonObject], now: float
    ) -> tuple[JsonObject | None, list[JsonObject]]:
        """Stop all old pods, and start the new ones once those are gone."""
        if active(old):
            sizes = [(rs, 0) for rs in active(old)]
            return new, self._resize_all(deployment, old, sizes, now)
        if any(status_count(rs, "replicas") for rs in old) or any(
            not pod.is_finished for rs in old for pod in self.pods.owned(rs["metadata"]["uid"])
        ):
            return new, old
        new = new or self._create(deployment, old, now)
        if new is not None and replicas_of(new) != replicas_of(deployment):
            new = self._resize(deployment, new, replicas_of(deployment), now)
        if is_complete(deployment, deployment["status"]):
            self._delete_history(deployment, old, now)
        return new, old

    def _delete_history(
        self, deployment: JsonObject, old: Iterable[JsonObject], now: float
    ) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", UNLIMITED)
        alive = [rs for rs in old if "deletionTimestamp" not in rs["metadata"]]
        if limit == UNLIMITED or len(alive) <= limit:
            return
        for rs in by_revision(alive)[: len(alive) - limit]:
            meta = rs["metadata"]
            is_observed = meta.get("generation", 0) <= status_count(rs, "observedGeneration")
            if is_observed and not replicas_of(rs) and not status_count(rs, "replicas"):
                name, uid = meta["name"], meta["uid"]
                self.client.delete(REPLICA_SETS, meta["namespace"], name, now, uid=uid)

    def _write(
        self,
        before: JsonObject,
        deployment: JsonObject,
        new: JsonObject | None,
        old: Sequence[JsonObject],
        now: float,
        *,
        estimate: bool,
    ) -> None:
        """Write status and revision where they changed."""
        everyone = [*old, *([new] if new else [])]
        status = rollout_status(deployment, everyone, new, now)
        if estimate:
            note_progress(deployment, status, new, now)
            note_failures(status, everyone, new)
        deployment["status"] = status
        if annotations_of(before) != annotations_of(deployment):
            deployment |= {"metadata": self._write_revision(deployment, now)}
        if status != (before.get("status") or {}):
            self.client.update_status(DEPLOYMENTS, deployment, now)

    def _write_revision(self, deployment: JsonObject, now: float) -> JsonObject:
        metadata = deployment["metadata"]
        patch = {"metadata": {"annotations": {REVISION: annotations_of(deployment)[REVISION]}}}
        key = (metadata["namespace"], metadata["name"])
        # as upstream, by the status: a revision that is noted is no change of what is wanted
        written: JsonObject = self.client.patch_status(DEPLOYMENTS, *key, patch, now)["metadata"]
        return written


def _is_scaled(replica_sets: Iterable[JsonObject], wanted: int) -> bool:
    """Say whether the size differs from the one noted on an active ReplicaSet."""
    noted = (noted_size(rs, DESIRED_REPLICAS) for rs in active(replica_sets))
    return any(size is not None and size != wanted for size in noted)


def _replica_set_of(deployment: JsonObject) -> JsonObject:
    """Make the ReplicaSet for the deployment's template, without a size."""
    meta, spec = deployment["metadata"], copy.deepcopy(deployment["spec"])
    template = spec["template"]
    digest = template_hash(template, deployment["status"].get("collisionCount", 0))
    labels = {**(template["metadata"].get("labels") or {}), POD_TEMPLATE_HASH: digest}
    template["metadata"]["labels"] = labels
    selector = spec["selector"]
    match_labels = {**(selector.get("matchLabels") or {}), POD_TEMPLATE_HASH: digest}
    return {
        "metadata": {
            "name": f"{meta['name'][: _NAME_LENGTH - len(digest) - 1]}-{digest}",
            "namespace": meta["namespace"],
            "labels": dict(labels),
            "ownerReferences": [controller_reference(DEPLOYMENTS, deployment)],
        },
        "spec": {
            "minReadySeconds": spec.get("minReadySeconds", 0),
            "selector": {**selector, "matchLabels": match_labels},
            "template": template,
        },
    }
