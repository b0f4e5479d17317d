"""ControllerRevisions: what a set's templates were."""

from __future__ import annotations

from typing import Any

import pytest

from pilotfish.cluster.kinds import (
    CONTROLLER_REVISIONS,
    DAEMON_SETS,
    PODS,
    STATEFUL_SETS,
)
from pilotfish.cluster.resources import Resource
from unit.cluster.controllers.world import Json, World, workload

BOTH = pytest.mark.parametrize("kind", [STATEFUL_SETS, DAEMON_SETS], ids=lambda each: each.kind)


def make(world: World, kind: Resource, **spec: Any) -> None:
    world.add_node("n-1")
    more = {"serviceName": "web"} if kind is STATEFUL_SETS else {}
    made = workload("web", replicas=1, updateStrategy={"type": "RollingUpdate"}, **more, **spec)
    if kind is DAEMON_SETS:
        del made["spec"]["replicas"]
    world.create(kind, made)
    world.advance(10, world.run_pods)


def set_image(world: World, kind: Resource, image: str) -> None:
    def edit(owner: Json) -> None:
        owner["spec"]["template"]["spec"]["containers"][0]["image"] = image

    world.change(kind, "web", edit)
    world.advance(10, world.run_pods)


def history(world: World) -> list[tuple[int, str]]:
    """Give number and image of each revision."""
    found = [
        (each["revision"], each["data"]["spec"]["template"]["spec"]["containers"][0]["image"])
        for each in world.all(CONTROLLER_REVISIONS)
    ]
    return sorted(found)


@BOTH
def test_each_template_is_a_revision_that_its_pods_name(kind: Resource) -> None:
    world = World()
    make(world, kind)
    set_image(world, kind, "b")
    set_image(world, kind, "c")
    assert [number for number, _ in history(world)] == [1, 2, 3]
    assert [image for _, image in history(world)][1:] == ["b", "c"]
    newest = max(world.all(CONTROLLER_REVISIONS), key=lambda each: int(each["revision"]))
    (pod,) = world.all(PODS)
    told = pod["metadata"]["labels"]["controller-revision-hash"]
    name = newest["metadata"]["name"]
    assert told == (name if kind is STATEFUL_SETS else name.removeprefix("web-"))
    is_stateful = kind is STATEFUL_SETS
    label = "controller.kubernetes.io/hash" if is_stateful else "controller-revision-hash"
    assert newest["metadata"]["labels"] == {"app": "web", label: name.removeprefix("web-")}
    assert newest["metadata"]["ownerReferences"][0]["kind"] == kind.kind
    assert newest["data"]["spec"]["template"]["$patch"] == "replace"


@BOTH
def test_template_that_comes_back_is_the_newest_revision_again(kind: Resource) -> None:
    world = World()
    make(world, kind)
    set_image(world, kind, "b")
    set_image(world, kind, "c")
    set_image(world, kind, "b")
    assert [(number, image) for number, image in history(world) if number > 1] == [
        (3, "c"),
        (4, "b"),
    ]


@BOTH
def test_no_more_old_revisions_are_kept_than_are_wanted(kind: Resource) -> None:
    world = World()
    make(world, kind, revisionHistoryLimit=1)
    for image in "bcde":
        set_image(world, kind, image)
    assert [image for _, image in history(world)] == ["d", "e"]


@BOTH
def test_revision_that_someone_deletes_is_made_anew(kind: Resource) -> None:
    world = World()
    make(world, kind)
    (name,) = world.names(CONTROLLER_REVISIONS)
    world.delete(CONTROLLER_REVISIONS, name)
    set_image(world, kind, "b")
    assert len(history(world)) == 1
    world.delete(kind, "web")
    world.advance(60)
    assert history(world) == []
