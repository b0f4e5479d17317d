"""A heap of pods from which any pod can be taken out.

Theory of operation: `heapq` over (key, number, pod), and a dict that says which number is the live
one for each pod. Taking out or re-keying a pod leaves its old entry behind, which is passed over
when it comes up; when most entries are such leftovers the heap is rebuilt.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from typing import Any

from pilotfish.framework.invariants import require
from pilotfish.queue.queued_pod_info import QueuedPodInfo

SMALL = 64  # a heap that is not worth rebuilding


class PodHeap:
    """Pods by key, smallest first; first come, first out among equals."""

    def __init__(self, key: Callable[[QueuedPodInfo], Any]) -> None:
        self._key = key
        self._entries: list[tuple[Any, int, QueuedPodInfo]] = []
        self._live: dict[str, tuple[int, QueuedPodInfo]] = {}
        self._number = 0

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[QueuedPodInfo]:
        return (info for _, info in self._live.values())

    def get(self, uid: str) -> QueuedPodInfo | None:
        """Return a pod that is in the heap."""
        number_and_info = self._live.get(uid)
        return number_and_info[1] if number_and_info else None

    def push(self, info: QueuedPodInfo) -> None:
        """Insert a pod, or move it to where its key now belongs."""
        self._number += 1
        self._live[info.uid] = (self._number, info)
        heapq.heappush(self._entries, (self._key(info), self._number, info))
        if len(self._entries) > 2 * len(self._live) + SMALL:
            self._entries = [entry for entry in self._entries if self._is_live(entry)]
            heapq.heapify(self._entries)

    def peek(self) -> QueuedPodInfo | None:
        """Return the first pod and leave it."""
        while self._entries:
            if self._is_live(self._entries[0]):
                return self._entries[0][2]
            heapq.heappop(self._entries)
        return None

    def pop(self) -> QueuedPodInfo | None:
        """Take out the first pod."""
        info = self.peek()
        if info is not None:
            heapq.heappop(self._entries)
            del self._live[info.uid]
        return info

    def discard(self, uid: str) -> QueuedPodInfo | None:
        """Take out a pod wherever it is."""
        number_and_info = self._live.pop(uid, None)
        return number_and_info[1] if number_and_info else None

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless each pod has one live entry, under its own uid."""
        live = [entry for entry in self._entries if self._is_live(entry)]
        require(len(live) == len(self._live), f"{len(live)} entries of {len(self._live)} pods")
        mine = all(info.uid == uid for uid, (_, info) in self._live.items())
        require(mine, "a pod is in the heap under another uid")

    def _is_live(self, entry: tuple[Any, int, QueuedPodInfo]) -> bool:
        number_and_info = self._live.get(entry[2].uid)
        return number_and_info is not None and number_and_info[0] == entry[1]
