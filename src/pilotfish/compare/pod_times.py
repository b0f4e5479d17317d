"""Pod times: when each pod was created, bound and running, as a watch shows it from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from pilotfish.client import Apply, Delete, Event, InitApply


class Metadata(msgspec.Struct, frozen=True):
    """Of a pod."""

    name: str = ""
    uid: str = ""


class Spec(msgspec.Struct, frozen=True, rename="camel"):
    """Of a pod."""

    node_name: str = ""


class Status(msgspec.Struct, frozen=True):
    """Of a pod."""

    phase: str = ""


class SeenPod(msgspec.Struct, frozen=True):
    """The little of a pod that is measured."""

    metadata: Metadata = Metadata()
    spec: Spec = Spec()
    status: Status = Status()


class PodTimes(msgspec.Struct):
    """What became of one pod.

    Attributes:
        created: when its creation was asked for, in seconds of the measuring process's clock; as
            are the others, each when it was first seen. None: it was not seen.
    """

    name: str
    shape: str
    created: float
    detected: float | None = None
    bound: float | None = None
    running: float | None = None
    node: str = ""


class PodMeter:
    """Notes the times of the pods of one namespace."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.pods: dict[str, PodTimes] = {}
        self.gone: set[str] = set()
        self._clock = clock
        self._news = asyncio.Event()

    def expect(self, name: str, shape: str) -> PodTimes:
        """Start the clock of a pod that is about to be created."""
        times = self.pods[name] = PodTimes(name, shape, self._clock())
        return times

    def take(self, event: Event[SeenPod]) -> None:
        """Take an event of the watch."""
        match event:
            case Apply(object=pod) | InitApply(object=pod):
                self._seen(pod)
            case Delete(object=pod):
                self.gone.add(pod.metadata.name)
            case _:
                return
        self._news.set()

    def progress(self) -> tuple[int, int, int, int]:
        """Count the pods that are known, bound, running and gone."""
        pods = self.pods.values()
        bound = sum(pod.bound is not None for pod in pods)
        return len(pods), bound, sum(pod.running is not None for pod in pods), len(self.gone)

    async def until(self, is_so: Callable[[], bool], patience_seconds: float) -> bool:
        """Wait until something is so; gives up when nothing new came for some time."""
        while not is_so():
            self._news.clear()
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._news.wait()
            except TimeoutError:
                return is_so()
        return True

    def unfinished(self) -> int:
        """Count the pods that are there."""
        return len(self.pods.keys() - self.gone)

    def _seen(self, pod: SeenPod) -> None:
        times = self.pods.get(pod.metadata.name)
        if times is None:
            return
        now = self._clock()
        if pod.spec.node_name and times.bound is None:
            times.bound, times.node = now, pod.spec.node_name
        if pod.status.phase in {"Running", "Succeeded"} and times.running is None:
            times.running = now
