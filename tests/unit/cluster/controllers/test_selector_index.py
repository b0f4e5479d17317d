"""Selectors are found by labels as if each of them were tried."""

from __future__ import annotations

import pytest

from pilotfish.api.selectors import LabelSelector, LabelSelectorRequirement
from pilotfish.cluster.controllers.selector_index import SelectorIndex

SELECTORS = {
    ("default", "web"): LabelSelector(match_labels={"app": "web"}),
    ("default", "front"): LabelSelector(match_labels={"app": "web", "tier": "front"}),
    ("default", "db"): LabelSelector(match_labels={"app": "db"}),
    ("default", "all"): LabelSelector(),
    ("default", "apps"): LabelSelector(
        match_expressions=(LabelSelectorRequirement("app", "Exists"),)
    ),
    ("other", "web"): LabelSelector(match_labels={"app": "web"}),
}


def filled() -> SelectorIndex:
    """Make an index of all of them."""
    index = SelectorIndex()
    for key, selector in SELECTORS.items():
        assert index.put(key, selector)
    return index


@pytest.mark.parametrize(
    "labels",
    [{}, {"app": "web"}, {"tier": "front", "app": "web"}, {"app": "cache"}, {"tier": "front"}],
)
@pytest.mark.parametrize("namespace", ["default", "other", "third"])
def test_selectors_that_choose_labels_are_all_found(labels: dict[str, str], namespace: str) -> None:
    wanted = {
        key for key, each in SELECTORS.items() if key[0] == namespace and each.matches(labels)
    }
    found = list(filled().choosing(namespace, labels))
    assert set(found) == wanted
    assert len(found) == len(wanted)


def test_selector_is_replaced_and_taken_away() -> None:
    index, key, labels = filled(), ("default", "web"), {"app": "web"}
    assert not index.put(key, SELECTORS[key]), "it is there already"
    assert index.put(key, SELECTORS["default", "db"])
    assert key not in index.choosing("default", labels)
    assert key in index.choosing("default", {"app": "db"})
    assert index.put(key, None)
    assert key not in index.choosing("default", {"app": "db"})
    assert not index.put(key, None), "it is gone already"
