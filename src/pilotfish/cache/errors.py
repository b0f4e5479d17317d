"""Errors of the cluster cache.

CacheError
└── PodStateError    a pod was not in the state that a transition needs
"""

from __future__ import annotations

from collections.abc import Sequence


class CacheError(Exception):
    """Root of this layer's errors."""


class PodStateError(CacheError):
    """A pod was not in the state that a transition needs: a bug of the caller.

    Attributes:
        pod: `namespace/name`.
        story: the pod's last transitions, the oldest first.
    """

    def __init__(self, pod: str, problem: str, story: Sequence[str]) -> None:
        super().__init__(f"pod {pod} {problem}; its story: {', '.join(story) or 'none'}")
        self.pod = pod
        self.story = tuple(story)
