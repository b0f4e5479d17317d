"""VolumeBinding's rules about room for volumes, as kubernetes v1.36.3 has them.

They are those of pkg/scheduler/framework/plugins/volumebinding/binder.go (hasEnoughCapacity).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import pytest

import make_volumes as mv
from parity.volume_nodes import ZONE, nodes_with, user
from pilotfish.api.meta import KubernetesObject
from pilotfish.plugins.volume_binding import VolumeBinding
from unit.plugins.deciding import rejected

SPACE: Final = [("node(s) did not have enough free storage", False)]
NOWHERE: Final = dict.fromkeys(["a1", "a2", "b1"], SPACE)


class Row(NamedTuple):
    """A rule: what speaks against the nodes, where a volume has to be made for a claim."""

    rule: str
    objects: Sequence[KubernetesObject]
    wanted: dict[str, list[tuple[str, bool]]]


def capacity_row(
    rule: str, *rooms: KubernetesObject, wanted: Any, size: str | None = "2Gi", told: bool = True
) -> Row:
    """Make a row of a claim, and of a driver that tells how much room it has, or does not."""
    driver = mv.csi_driver("ebs.example.com", capacity=told)
    claim = mv.claim("c", size=size)
    return Row(rule, [claim, mv.storage_class("slow"), driver, *rooms], wanted)


ROWS = [
    capacity_row("a driver that tells its room must have some", wanted=NOWHERE),
    capacity_row("one that does not tell has enough", wanted={}, told=False),
    capacity_row("a claim without a size fits", wanted={}, size=None),
    capacity_row("there may be enough", mv.capacity("k", "2Gi"), wanted={}),
    capacity_row("or too little", mv.capacity("k", "1Gi"), wanted=NOWHERE),
    capacity_row(
        "the largest volume counts before the room",
        mv.capacity("k", "9Gi", largest="1Gi"),
        wanted=NOWHERE,
    ),
    capacity_row("room of unknown size is none", mv.capacity("k", None), wanted=NOWHERE),
    capacity_row(
        "room is reached from some nodes",
        mv.capacity("k", "2Gi", topology={ZONE: "a"}),
        wanted={"b1": SPACE},
    ),
    capacity_row(
        "without a topology from none",
        mv.capacity("k", "2Gi", has_topology=False),
        wanted=NOWHERE,
    ),
    capacity_row(
        "room of another class does not count",
        mv.capacity("k", "2Gi", class_name="fast"),
        wanted=NOWHERE,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rule)
def test_volumes_are_made_where_there_is_room(row: Row) -> None:
    assert rejected(VolumeBinding(), user("c"), nodes_with(*row.objects)) == row.wanted
