"""Plugins for tests that say at each binding point what they are told to, and keep a journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pilotfish.framework import ClusterEvent, EnabledPlugin, Plugin, Pod, Profile, WaitingPod
from pilotfish.plugins.default import DEFAULT_WEIGHTS

NAME = "my-scheduler"


class First(Plugin):
    """Has every point; what is not told is None.

    Args:
        journal: takes a word for each call that leaves a trace outside: "reserve First a".
        **answers: what a point says: an exception is raised, a function is called with the pod.
    """

    name = "First"
    requeue_on = frozenset({ClusterEvent.NODE_LABELS_CHANGED})
    reads = frozenset({"namespaces", "nodes"})
    assumes = frozenset({"namespaces"})

    def __init__(self, journal: list[str], **answers: Any) -> None:
        self.journal = journal
        self.answers = answers

    def pre_filter(self, pod: Pod) -> str:
        """Keep the pod's name as the state."""
        return f"state of {pod.name}"

    def reserve(self, pod: Pod, state: str) -> Any:
        """Answer."""
        assert state == f"state of {pod.name}"
        return self._say("reserve", pod)

    def unreserve(self, pod: Pod, waiting: Sequence[WaitingPod]) -> Any:
        """Answer."""
        return self._say("unreserve", pod, waiting)

    def permit(self, pod: Pod, waiting: Sequence[WaitingPod]) -> Any:
        """Answer."""
        return self._say("permit", pod, waiting)

    def pre_bind(self, pod: Pod) -> Any:
        """Answer."""
        return self._say("pre_bind", pod)

    def post_bind(self, pod: Pod) -> Any:
        """Answer."""
        return self._say("post_bind", pod)

    def _say(self, point: str, pod: Pod, waiting: Sequence[WaitingPod] = ()) -> Any:
        self.journal.append(f"{point} {self.name} {pod.name}")
        answer = self.answers.get(point)
        if isinstance(answer, Exception):
            raise answer
        return answer(pod, waiting) if callable(answer) else answer


class Second(First):
    """Another one."""

    name = "Second"


class Calling(Plugin):
    """Has methods that a shell must run."""

    name = "Calling"

    async def pre_bind(self, pod: Pod) -> None:
        """Must not be called by the core."""
        raise AssertionError(pod.key)

    async def post_bind(self, pod: Pod, node_name: str) -> None:
        """Must not be called by the core."""
        raise AssertionError(pod.key, node_name)


def profile_with(*plugins: Plugin) -> Profile:
    """Make the default profile with these plugins behind it."""
    usual = [EnabledPlugin(plugin(), weight) for plugin, weight in DEFAULT_WEIGHTS.items()]
    return Profile(NAME, [*usual, *map(EnabledPlugin, plugins)])


def everybody(make: Callable[[tuple[str, ...]], object]) -> Callable[..., object]:
    """Make an answer of the uids of all pods that wait."""
    return lambda _pod, waiting: make(tuple(one.uid for one in waiting))
