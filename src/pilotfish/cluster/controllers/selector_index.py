"""Which selectors of a namespace choose an object, found by its labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pilotfish.api.selectors import LabelSelector
from pilotfish.cluster.controllers.pod_index import Key

_Place = tuple[str, str, str]
_ANY = ("", "")


class SelectorIndex:
    """Label selectors by the key of whose they are.

    Each is filed under one label that it requires, so that labels are shown only to the selectors
    that may choose them; those that require no one value are shown all labels of their namespace.
    """

    def __init__(self) -> None:
        self._selectors: dict[Key, LabelSelector] = {}
        self._files: dict[_Place, dict[Key, None]] = {}

    def put(self, key: Key, selector: LabelSelector | None) -> bool:
        """Set or (None) take away a selector; say whether that changes anything."""
        old = self._selectors.pop(key, None)
        if old is not None:
            file = self._files[_place(key, old)]
            del file[key]
            if not file:
                del self._files[_place(key, old)]
        if selector is not None:
            self._selectors[key] = selector
            self._files.setdefault(_place(key, selector), {})[key] = None
        return selector != old

    def get(self, key: Key) -> LabelSelector | None:
        """Give a selector."""
        return self._selectors.get(key)

    def choosing(self, namespace: str, labels: Mapping[str, str]) -> Iterator[Key]:
        """Give the keys of the selectors that choose an object of a namespace."""
        for label in (_ANY, *labels.items()):
            for key in self._files.get((namespace, *label), ()):
                if self._selectors[key].matches(labels):
                    yield key


def _place(key: Key, selector: LabelSelector) -> _Place:
    return (key[0], *next(iter(selector.match_labels.items()), _ANY))
