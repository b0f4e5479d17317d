"""Objects that count as plugins assumed them, until the API server says something newer.

Theory of operation: what counts of an object is what the API server said last, unless pods that are
on their way to a node assumed something of it; then it is what the last of these pods assumed. An
assumption ends when the API server says something newer than what it was made of, when the object
is gone, or when its pod is unreserved. It outlives the pod's binding cycle, for news of pods and of
other objects travel apart.

Source: kubernetes v1.36 pkg/scheduler/util/assumecache/assume_cache.go.
    differs: two pods may assume the same object; what the one gives up, the other keeps.
"""

from __future__ import annotations

from collections.abc import Iterable

from pilotfish.api.meta import KubernetesObject
from pilotfish.core.cache_writers import Writers
from pilotfish.framework.invariants import require


class AssumedObjects:
    """What pods assumed of objects of some kinds.

    Args:
        kinds: of objects that may be assumed.
        writers: take what counts.
    """

    def __init__(self, kinds: Iterable[str], writers: Writers) -> None:
        self._writers = writers
        self._said: dict[str, dict[str, KubernetesObject]] = {kind: {} for kind in kinds}
        self._assumed: dict[tuple[str, str], dict[str, KubernetesObject]] = {}  # by pod; last wins

    def seen(self, kind: str, thing: KubernetesObject) -> KubernetesObject:
        """Take what the API server says of an object, and return what counts."""
        if kind not in self._said:
            return thing
        self._said[kind][thing.uid] = thing
        key = (kind, thing.uid)
        by_pod = self._assumed.get(key)
        if by_pod is None:
            return thing
        for pod_uid in [uid for uid, assumed in by_pod.items() if _is_newer(thing, assumed)]:
            self._end(key, pod_uid)
        return self._counting(key)

    def gone(self, kind: str, uid: str) -> None:
        """Take it from the API server that an object is gone."""
        if kind in self._said:
            self._said[kind].pop(uid, None)
            self._assumed.pop((kind, uid), None)

    def assume(self, pod_uid: str, kind: str, thing: KubernetesObject) -> None:
        """Let an object count as a pod needs it.

        Raises:
            ValueError: the object is not known, or was made of an older version of it.
        """
        said = self._said[kind].get(thing.uid)
        if said is None:
            raise ValueError(f"{kind} {thing.key} is not known")
        if _is_newer(said, thing):
            raise ValueError(f"{kind} {thing.key} was assumed of an older version of it")
        by_pod = self._assumed.setdefault((kind, thing.uid), {})
        by_pod.pop(pod_uid, None)
        by_pod[pod_uid] = thing
        self._writers[kind](thing)

    def release(self, pod_uid: str) -> None:
        """End what a pod assumed."""
        for key in [key for key, by_pod in self._assumed.items() if pod_uid in by_pod]:
            self._end(key, pod_uid)
            self._writers[key[0]](self._counting(key))

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError where something is assumed of what nobody knows."""
        for kind, uid in self._assumed:
            require(uid in self._said[kind], f"{kind} {uid} is assumed and not known")

    def _counting(self, key: tuple[str, str]) -> KubernetesObject:
        *_, last = (self._said[key[0]][key[1]], *self._assumed.get(key, {}).values())
        return last

    def _end(self, key: tuple[str, str], pod_uid: str) -> None:
        by_pod = self._assumed[key]
        del by_pod[pod_uid]
        if not by_pod:
            del self._assumed[key]


def _is_newer(thing: KubernetesObject, other: KubernetesObject) -> bool:
    """Compare resourceVersions, which are numbers that grow."""
    new, old = thing.metadata.resource_version, other.metadata.resource_version
    return int(new) > int(old) if new.isdecimal() and old.isdecimal() else new != old
