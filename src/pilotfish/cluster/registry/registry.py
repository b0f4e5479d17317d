"""What the verbs share."""

from __future__ import annotations

import random
from collections.abc import Mapping

import msgspec

from pilotfish.cluster.admission.plugin import AdmissionPlugin, Review
from pilotfish.cluster.resources import Resource
from pilotfish.cluster.schema import Schema
from pilotfish.cluster.store import Store
from pilotfish.cluster.strategies.strategy import Strategy


class Registry(msgspec.Struct, frozen=True):
    """The store with all that a request needs besides."""

    store: Store
    schema: Schema
    strategies: Mapping[str, Strategy]
    """By the resource's qualified name."""
    admission: tuple[AdmissionPlugin, ...]
    rng: random.Random

    def strategy_of(self, resource: Resource) -> Strategy:
        """Give the rules of a kind."""
        return self.strategies[resource.qualified]

    def admit(self, review: Review) -> None:
        """Show a write to all admission plugins.

        Raises:
            StatusError: One of them refuses it.
        """
        for plugin in self.admission:
            plugin.admit(review)
