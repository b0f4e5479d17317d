"""Attempt timer: how long attempts take, beside what they decide."""

from __future__ import annotations

from typing import Final, Literal, Protocol, TypeAlias

from pilotfish.queue.queued_pod_info import QueuedPodInfo

Result: TypeAlias = Literal["scheduled", "unschedulable", "error"]


class AttemptTimer(Protocol):
    """Told when something begins and ends; the scheduler never asks what it measured."""

    def start(self, info: QueuedPodInfo) -> None:
        """Note that an attempt begins."""

    def lap(self, extension_point: str, status: str) -> None:
        """Note that an extension point ends, which began where the one before it ended."""

    def decided(self, info: QueuedPodInfo) -> None:
        """Note that the scheduling cycle ends."""

    def stop(self, info: QueuedPodInfo, result: Result) -> None:
        """Note that the attempt ends, for a scheduled pod with its binding cycle."""


class _Unmeasured:
    """Measures nothing."""

    def start(self, info: QueuedPodInfo) -> None:
        """Pass over it."""

    def lap(self, extension_point: str, status: str) -> None:
        """Pass over it."""

    def decided(self, info: QueuedPodInfo) -> None:
        """Pass over it."""

    def stop(self, info: QueuedPodInfo, result: Result) -> None:
        """Pass over it."""


UNMEASURED: Final[AttemptTimer] = _Unmeasured()
