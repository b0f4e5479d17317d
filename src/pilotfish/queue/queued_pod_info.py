"""A pod in the queue, and what is remembered of its attempts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pilotfish.api.pod import Pod
from pilotfish.framework.profile_results import RejectedBy


@dataclass(slots=True, eq=False)
class QueuedPodInfo:
    """A pending pod of ours, from its first sight until it is bound or gone.

    Attributes:
        pod: its latest version.
        timestamp: when it entered the queue, or last came back to it, in seconds.
        attempts: how often it was popped.
        unschedulable_count: how many attempts ended in a rejection.
        consecutive_errors_count: how many attempts in a row, up to the last one, ended in an error.
        rejector_plugins: who rejected it in its last attempt, sorted; empty after an error.
        order: its place among active pods, smaller first, as the profile's `sort_key` gave it.
        error: why `pre_enqueue` or `sort_key` failed for it; its next attempt fails by that.
        gated_by: the `pre_enqueue` rejection that holds it; None while nothing does.
        backoff_expiration: the start of the window in which its back-off ends; None until asked.
        waiting_since: when it entered the pool of unschedulable and gated pods.
        first_attempt_at: when its first attempt began, as a timer measured; None before, and
            where nobody measures. Nothing is decided by it.
        attempt_at: the same of its last attempt.
    """

    pod: Pod
    timestamp: float
    attempts: int = 0
    unschedulable_count: int = 0
    consecutive_errors_count: int = 0
    rejector_plugins: tuple[str, ...] = ()
    order: tuple[Any, ...] = ()
    error: str = ""
    gated_by: RejectedBy | None = None
    backoff_expiration: float | None = None
    waiting_since: float = 0.0
    first_attempt_at: float | None = None
    attempt_at: float = 0.0

    @property
    def uid(self) -> str:
        """The pod's identity."""
        return self.pod.metadata.uid
