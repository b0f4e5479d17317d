"""Nodes.

Source: kubernetes v1.36 pkg/registry/core/node/strategy.go and
    pkg/apis/core/validation/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final

from pilotfish.cluster.field_errors import (
    FieldError,
    field_duplicate,
    field_forbidden,
    field_invalid,
)
from pilotfish.cluster.kubelet.annotations import node_annotation_warnings
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.strategies.strategy import Strategy, copy_field
from pilotfish.cluster.validation.amounts import amount_value_errors
from pilotfish.cluster.validation.placement import taint_errors

BAD_NETWORK: Final = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"


class NodeStrategy(Strategy):
    """The rules of nodes; a node may bring its status with it."""

    def prepare_for_create(self, obj: JsonObject, now: float) -> None:
        """Keep the status, and say the node's range of addresses in both ways."""
        del now
        _complete_ranges(obj)

    def prepare_for_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Keep the status, and say the node's range of addresses in both ways."""
        super().prepare_for_update(new, old, now)
        _complete_ranges(new)

    def validate(self, obj: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new node."""
        spec = obj.get("spec") or {}
        yield from taint_errors(spec.get("taints"), "metadata.taints")
        yield from _amount_errors(obj.get("status") or {})
        for i, text in enumerate(spec.get("podCIDRs") or ()):
            if "/" not in text or not _is_network(text):
                yield field_invalid(f"spec.podCIDRs[{i}]", text, BAD_NETWORK)

    def validate_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with an update."""
        yield from self.validate(new)
        new_spec, old_spec = new.get("spec") or {}, old.get("spec") or {}
        for field, shown in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
            if old_spec.get(field) and new_spec.get(field) != old_spec[field]:
                detail = f'node updates may not change {shown} except from "" to valid'
                yield field_forbidden(f"spec.{field}", detail)

    def warnings(self, obj: JsonObject) -> Iterator[str]:
        """Yield what the simulated kubelet will pass over."""
        yield from node_annotation_warnings(obj)

    def update_warnings(self, new: JsonObject, old: JsonObject) -> Iterator[str]:
        """Yield what the simulated kubelet will pass over."""
        yield from node_annotation_warnings(new, old)

    def prepare_for_status_update(self, new: JsonObject, old: JsonObject, now: float) -> None:
        """Keep the spec."""
        del now
        copy_field("spec", old, new)

    def validate_status_update(self, new: JsonObject, old: JsonObject) -> Iterator[FieldError]:
        """Yield what is wrong with a new status."""
        del old
        status = new.get("status") or {}
        yield from _amount_errors(status)
        seen: list[JsonObject] = []
        for i, address in enumerate(status.get("addresses") or ()):
            if address in seen:
                shown = {key.capitalize(): value for key, value in address.items()}
                yield field_duplicate(f"status.addresses[{i}]", shown)
            seen.append(address)


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _complete_ranges(node: JsonObject) -> None:
    """Make podCIDR the first of podCIDRs; where they differ, the older field counts."""
    spec = node.get("spec") or {}
    single, several = spec.get("podCIDR"), spec.get("podCIDRs") or []
    if single and several[:1] != [single]:
        spec["podCIDRs"] = [single]
    elif several and not single:
        spec["podCIDR"] = several[0]


def _amount_errors(status: JsonObject) -> Iterator[FieldError]:
    for field in ("capacity", "allocatable"):
        for name, text in (status.get(field) or {}).items():
            yield from amount_value_errors(name, text, f"status.{field}.{name}")
