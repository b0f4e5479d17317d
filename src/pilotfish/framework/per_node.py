"""The adapter for plugins that look at one node at a time: the first choice for a policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.framework.arrays import Mask, Scores
from pilotfish.framework.node_info import NodeInfo
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.plugin import Plugin
from pilotfish.framework.rejection import Reject, Rejection


class PerNodePlugin(Plugin):
    """A plugin with `filter_node`, `score_node` or both.

    `filter_node(pod, node) -> Rejection | None`: asked about each node that is still alive.
    `score_node(pod, node) -> int`: asked about each feasible node.
    `normalize(raw, feasible) -> int64[N]`: maps these numbers to 0..100; without it they are taken
        as they are. Often `normalize = staticmethod(most_is_best)`, or `fewest_is_best`.
    """

    filter_node: Callable[[Pod, NodeInfo], Rejection | None]
    score_node: Callable[[Pod, NodeInfo], int]

    def normalize(self, raw: Scores, _feasible: Mask, /) -> Scores:
        """Take the numbers as they are."""
        return raw

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give the subclass those extension points that it has a method for."""
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "filter_node") and not hasattr(cls, "filter"):
            cls.filter = cls._filter
        if hasattr(cls, "score_node") and not hasattr(cls, "score"):
            cls.score = cls._score

    def _filter(self, pod: Pod, nodes: NodeTable, alive: Mask) -> Iterator[Reject]:
        rows_by_rejection: dict[Rejection, list[int]] = {}
        for row in np.flatnonzero(alive).tolist():
            rejection: Any = self.filter_node(pod, nodes.node(row))
            if rejection is not None:
                if not isinstance(rejection, Rejection):
                    about = f"filter_node returned {rejection!r} for node {nodes.names[row]}"
                    raise TypeError(f"{about}, not a Rejection or None")
                rows_by_rejection.setdefault(rejection, []).append(row)
        for rejection, rows in rows_by_rejection.items():
            mask = np.zeros(len(nodes), dtype=np.bool_)
            mask[rows] = True
            yield Reject(mask, rejection.reason, rejection.resolvable)

    def _score(self, pod: Pod, nodes: NodeTable, feasible: Mask) -> Scores:
        raw = np.zeros(len(nodes), dtype=np.int64)
        for row in np.flatnonzero(feasible).tolist():
            score: Any = self.score_node(pod, nodes.node(row))
            if not isinstance(score, int | np.integer):  # an array would cut a float down silently
                about = f"score_node returned {score!r} for node {nodes.names[row]}"
                raise TypeError(f"{about}, not an int")
            raw[row] = score
        return self.normalize(raw, feasible)
