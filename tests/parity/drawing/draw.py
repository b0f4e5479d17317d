"""Seeded chance in the words that the makers of clusters and pods use."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final, TypeAlias, TypeVar

T = TypeVar("T")

Manifest: TypeAlias = dict[str, Any]

HOSTNAME: Final = "kubernetes.io/hostname"
ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
RACK: Final = "example.com/rack"
TOPOLOGY_KEYS: Final = (HOSTNAME, HOSTNAME, ZONE, ZONE, ZONE, REGION, RACK, "absent")
NAMESPACES: Final = ("default", "ns-a", "ns-b", "ns-c")
APPS: Final = ("web", "db", "batch")


class Draw:
    """Chance that repeats: the same seed draws the same values in the same order."""

    def __init__(self, seed: str) -> None:
        self._rng = random.Random(seed)

    def chance(self, probability: float) -> bool:
        """Say yes with this probability."""
        return self._rng.random() < probability

    def between(self, low: int, high: int) -> int:
        """Draw an integer, both ends included."""
        return self._rng.randint(low, high)

    def one(self, values: Sequence[T]) -> T:
        """Draw one of the values; a value that stands there twice is twice as likely."""
        return self._rng.choice(values)

    def some(self, values: Sequence[T], low: int, high: int) -> list[T]:
        """Draw so many different places of the values."""
        return self._rng.sample(values, min(len(values), self.between(low, high)))

    def labels(self) -> dict[str, str]:
        """Draw what a pod is: its app, and perhaps more."""
        labels = {"app": self.one(APPS)} if self.chance(0.9) else {}
        if self.chance(0.5):
            labels["tier"] = self.one(("front", "back", ""))
        if self.chance(0.25):
            labels["pod-template-hash"] = self.one(("1", "2"))
        return labels

    def selector(self) -> Manifest:
        """Draw a label selector over the labels of pods; now and then it is empty."""
        if self.chance(0.06):
            return {}
        if self.chance(0.6):
            return {"matchLabels": {"app": self.one(APPS)}}
        expressions = [self._expression() for _ in range(self.between(1, 2))]
        labels = {"matchLabels": {"app": self.one(APPS)}} if self.chance(0.3) else {}
        return {**labels, "matchExpressions": expressions}

    def _expression(self) -> Manifest:
        key, values = self.one((("app", APPS), ("tier", ("front", "back", "")), ("none", ("x",))))
        operator = self.one(("In", "NotIn", "Exists", "DoesNotExist"))
        if operator in ("Exists", "DoesNotExist"):
            return {"key": key, "operator": operator}
        return {"key": key, "operator": operator, "values": self.some(values, 1, 2)}
