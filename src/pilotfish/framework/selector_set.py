"""Many selectors asked at once: which of them select a pod."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import Final, Generic, TypeAlias, TypeVar

from pilotfish.api.workloads import Namespace
from pilotfish.framework.pod_terms import PodSelector

MAX_ANSWERS: Final = 10_000  # remembered; beyond that they are found anew

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
Selectors: TypeAlias = tuple[PodSelector, ...]  # all of them must select a pod


class SelectorSet(Generic[K, V]):
    """Things by key, each with the selectors that say which pods it is about.

    Which of them select a pod depends on the pod's namespace and on the labels that some selector
    names; labels that make each pod unique are mostly not among them. So the answer is found once
    for each such projection of the labels, and remembered until the selectors change.
    """

    def __init__(self, namespaces: Mapping[str, Namespace]) -> None:
        self._namespaces = namespaces
        self._entries: dict[K, tuple[Selectors, V]] = {}
        self._label_keys: dict[str, None] = {}  # that some selector names, or used to
        self._answers: dict[tuple[str | None, ...], list[V]] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[K]:
        """Go through the keys, the one used least recently first."""
        return iter(self._entries)

    def __getitem__(self, key: K) -> V:
        return self._entries[key][1]

    def use(self, key: K) -> V | None:
        """Return the thing of a key, if there is one, and note that it was used."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self._entries[key] = entry
        return entry[1]

    def put(self, key: K, selectors: Selectors, thing: V) -> None:
        """Take up a thing under a new key."""
        self._entries[key] = selectors, thing
        self._label_keys.update(dict.fromkeys(_keys_of(selectors)))
        self._answers.clear()

    def drop(self, key: K) -> None:
        """Forget a key and its thing."""
        del self._entries[key]
        if not self._entries:
            self._label_keys.clear()
        self._answers.clear()

    def selecting(self, namespace: str, labels: Mapping[str, str]) -> list[V]:
        """List the things whose selectors select a pod of this namespace with these labels."""
        projection = (namespace, *map(labels.get, self._label_keys))
        answer = self._answers.get(projection)
        if answer is None:
            if len(self._answers) >= MAX_ANSWERS:
                self._answers.clear()
            answer = self._answers[projection] = [
                thing
                for selectors, thing in self._entries.values()
                if all(one.matches(namespace, labels, self._namespaces) for one in selectors)
            ]
        return answer

    def forget_answers(self) -> None:
        """Find every answer anew: the labels of a namespace changed."""
        self._answers.clear()


def _keys_of(selectors: Selectors) -> Iterator[str]:
    for selector in selectors:
        if selector.label_selector is not None:
            yield from selector.label_selector.match_labels
            yield from (r.key for r in selector.label_selector.match_expressions)
