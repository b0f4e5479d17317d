"""Nodes: the fields that scheduling reads."""

from __future__ import annotations

from typing import Literal

import msgspec

from pilotfish.api.meta import ApiStruct, KubernetesObject
from pilotfish.api.quantity import Quantity

Effect = Literal["NoSchedule", "PreferNoSchedule", "NoExecute"]


class Taint(ApiStruct, frozen=True):
    """A node's mark that keeps away pods which do not tolerate it."""

    key: str
    effect: Effect
    value: str = ""


class NodeSpec(ApiStruct, frozen=True):
    """The part of a node's spec that scheduling reads."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] = ()


class ContainerImage(ApiStruct, frozen=True):
    """An image that a node holds, under all its names."""

    names: tuple[str, ...] = ()
    size_bytes: int = 0


class NodeStatus(ApiStruct, frozen=True):
    """The part of a node's status that scheduling reads."""

    allocatable: dict[str, Quantity] = msgspec.field(default_factory=dict)
    images: tuple[ContainerImage, ...] = ()
    declared_features: tuple[str, ...] = ()


class Node(KubernetesObject, frozen=True):
    """A node."""

    __hash__ = KubernetesObject.__hash__

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()
