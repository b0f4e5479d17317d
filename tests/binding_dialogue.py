"""Dialogues about one pod, `a`, in whose binding two plugins have a part."""

from __future__ import annotations

from typing import Any

import msgspec

from binding_plugins import First, Second, profile_with
from dialogue import Dialogue, of
from make import node, pod
from pilotfish.api.workloads import Namespace
from pilotfish.core.effects import Bind, Effect, PatchCondition
from pilotfish.framework import Rejection

POD = pod("a", cpu="1")
BIND = Bind("uid-a", "default", "a", "n1")
NO = Rejection("node(s) had no seat")
UNDONE = ["unreserve Second a", "unreserve First a"]
SPACE = Namespace(metadata=msgspec.structs.replace(POD.metadata, resource_version="5"))


def talk(one: dict[str, Any], two: dict[str, Any] | None = None) -> tuple[Dialogue, list[str]]:
    """Make a scheduler of two plugins and one node of 4 CPUs, and the plugins' journal."""
    journal: list[str] = []
    profile = profile_with(First(journal, **one), Second(journal, **(two or {})))
    return Dialogue(node("n1"), profile=profile), journal


def begin(dialogue: Dialogue) -> list[Effect]:
    """Tell of the pod, and decide."""
    dialogue.apply(POD)
    return dialogue.decide()


def said(effects: list[Effect]) -> list[tuple[str, str]]:
    """Return the reason and message of each condition."""
    return [(patch.reason, patch.message) for patch in of(PatchCondition, effects)]


def labelled(space: Namespace, version: str, **labels: str) -> Namespace:
    meta = msgspec.structs.replace(space.metadata, resource_version=version, labels=labels)
    return msgspec.structs.replace(space, metadata=meta)
