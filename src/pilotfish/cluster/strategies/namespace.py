"""Namespaces.

Source: kubernetes v1.36 pkg/registry/core/namespace/strategy.go and storage/storage.go.
"""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy, copy_field
from pilotfish.cluster.timestamps import timestamp
from pilotfish.cluster.validation.names import NameRule, dns_label

FINALIZER: Final = "kubernetes"  # gone when the namespace is empty
NAME_LABEL: Final = "kubernetes.io/metadata.name"


class NamespaceStrategy(Strategy):
    """The rules of namespaces, which go when their spec has no finalizers any more."""

    returns_deleted_object = True

    def name_rule(self) -> NameRule:
        """Give the rule for names of namespaces."""
        return dns_label

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Begin as an active namespace that knows its name by a label."""
        del now
        obj["status"] = {"phase": "Active"}
        spec = obj.setdefault("spec", {})
        if FINALIZER not in (spec.get("finalizers") or ()):
            spec["finalizers"] = [*(spec.get("finalizers") or ()), FINALIZER]
        _label(obj)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Keep the spec's finalizers, and the label."""
        super().prepare_for_update(new, old, now)
        copy_field("finalizers", old["spec"], new.setdefault("spec", {}))
        _label(new)

    def prepare_for_finalize(self, new: JsonObject, old: JsonObject) -> None:
        """Keep the status: `finalize` is for the spec's finalizers."""
        copy_field("status", old, new)
        if not new.setdefault("spec", {}).get("finalizers"):
            new["spec"].pop("finalizers", None)

    def mark_deleting(self, obj: JsonObject, now: float) -> None:
        """Set the phase too, and no grace period."""
        obj["metadata"].setdefault("deletionTimestamp", timestamp(now))
        obj["status"]["phase"] = "Terminating"

    def may_be_removed(self, obj: JsonObject) -> bool:
        """Say whether nothing is left in the namespace."""
        return not obj["spec"].get("finalizers")


def _label(obj: JsonObject) -> None:
    metadata = obj["metadata"]
    if name := metadata.get("name"):
        metadata["labels"] = (metadata.get("labels") or {}) | {NAME_LABEL: name}
