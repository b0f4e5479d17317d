"""Deletes finished Jobs once their time to live is over.

Source: kubernetes v1.36 pkg/controller/ttlafterfinished/ttlafterfinished_controller.go.
"""

from __future__ import annotations

from pilotfish.cluster.controllers.controller import Controller
from pilotfish.cluster.controllers.pod_index import Key
from pilotfish.cluster.controllers.times import parse_time
from pilotfish.cluster.controllers.workloads.job_status import is_finished
from pilotfish.cluster.kinds import JOBS


class TtlAfterFinishedController(Controller):
    """Acts on `ttlSecondsAfterFinished`."""

    watches = (JOBS,)

    def sync(self, key: Key, now: float) -> float | None:
        """Delete a job, or say when."""
        job = self.client.get(JOBS, *key)
        if job is None or (end := is_finished(job)) is None:
            return None
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None or job["metadata"].get("deletionTimestamp") is not None:
            return None
        expires = (parse_time(end["lastTransitionTime"]) or now) + float(seconds)
        if now < expires:
            return expires
        uid = job["metadata"]["uid"]
        self.client.delete(JOBS, *key, now, uid=uid, propagation_policy="Foreground")
        return None
