"""Which pods in place a selector selects, and whose terms select a pod: counted, not searched.

Theory of operation: topology spread and pod affinity ask how many pods on each node a selector
selects. Each selector that was asked about keeps these counts as columns over the nodes' rows, and
every pod that comes or goes updates the few that select it. The other way round, each distinct term
of the pods in place keeps how many pods on each node have it; a pod to be placed feels the terms
that select it.

Nobody counts the users of a selector: those asked about least recently are dropped when there are
too many, and counted anew when asked about again. Terms go with the last pod that has them. While
nobody asks and nobody has terms, a pod that comes or goes costs two tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.api.workloads import Namespace
from pilotfish.framework.cluster import PodCounts, TermCounts
from pilotfish.framework.invariants import require
from pilotfish.framework.node_table import NodeTable
from pilotfish.framework.pod_info import PodInfo
from pilotfish.framework.pod_terms import PodTerm
from pilotfish.framework.rows import Column
from pilotfish.framework.selector_set import Selectors, SelectorSet

MAX_SELECTORS: Final = 1024  # of 8 bytes a node each: 40 MB at 5,000 nodes

ALL, STAYING = range(2)  # places in the column of a selector


class TermColumn(NamedTuple):
    """How many pods on each row have a term, int32[N]."""

    term: PodTerm
    column: Column


class SelectorIndex:
    """Counts of pods by selector and by term, over the rows of a NodeTable."""

    def __init__(self, nodes: NodeTable, namespaces: Mapping[str, Namespace]) -> None:
        self._nodes = nodes
        self._namespaces = namespaces
        self._selected: SelectorSet[Selectors, Column] = SelectorSet(namespaces)
        self._terms: SelectorSet[PodTerm, TermColumn] = SelectorSet(namespaces)
        self._pods_with: Counter[PodTerm] = Counter()

    def add(self, row: int, pod: PodInfo) -> None:
        """Count a pod that came to a row."""
        if self._selected:
            self._count(row, pod, 1)
        for term in pod.shape.terms:
            if not self._pods_with[term]:
                entry = TermColumn(term, self._nodes.column(np.int32))
                self._terms.put(term, (term.selector,), entry)
            self._pods_with[term] += 1
            self._terms[term].column.buffer[row] += 1

    def remove(self, row: int, pod: PodInfo) -> None:
        """Stop counting a pod that leaves its row."""
        if self._selected:
            self._count(row, pod, -1)
        for term in pod.shape.terms:
            self._terms[term].column.buffer[row] -= 1
            self._pods_with[term] -= 1
            if not self._pods_with[term]:
                del self._pods_with[term]
                self._terms.drop(term)

    def matching_pods(self, selectors: Selectors) -> PodCounts:
        """Count the pods that all these selectors select; quick except for the first time."""
        column = self._selected.use(selectors)
        if column is None:
            if len(self._selected) >= MAX_SELECTORS:
                self._selected.drop(next(iter(self._selected)))
            column = self._counted(selectors)
            self._selected.put(selectors, selectors, column)
        return PodCounts(column.view[ALL], column.view[STAYING])

    def terms_on(self, pod: Pod) -> Iterator[TermCounts]:
        """List the terms of pods in place that select this pod."""
        for entry in self._terms.selecting(pod.namespace, pod.labels):
            yield TermCounts(entry.term, entry.column.view)

    def namespaces_changed(self) -> None:
        """Forget what was concluded from the labels of namespaces."""
        for selectors in list(self._selected):
            if any(one.namespace_selector is not None for one in selectors):
                self._selected.drop(selectors)
        self._terms.forget_answers()

    def check_invariants(self) -> None:
        """Raise BrokenInvariantError unless every count equals one made from nothing."""
        for selectors in self._selected:
            mine = self._selected[selectors].view
            wanted = self._counted(selectors).view
            require(np.array_equal(mine, wanted), f"pods of {selectors} are counted")
        fresh = SelectorIndex(self._nodes, self._namespaces)
        for row, pods in enumerate(self._nodes.pods):
            for pod in pods.values():
                fresh.add(row, pod)
        require(self._pods_with == fresh._pods_with, "pods in place have the terms")
        require(set(self._terms) == set(fresh._terms), "terms in place have counts")
        for term in self._terms:
            mine, wanted = self._terms[term].column.view, fresh._terms[term].column.view
            require(np.array_equal(mine, wanted), f"pods with {term} are counted")

    def _count(self, row: int, pod: PodInfo, change: int) -> None:
        for column in self._selected.selecting(pod.namespace, pod.labels):
            column.buffer[ALL, row] += change
            if not pod.is_terminating:
                column.buffer[STAYING, row] += change

    def _counted(self, selectors: Selectors) -> Column:
        column = self._nodes.column(np.int32, height=2)
        alone: SelectorSet[None, Column] = SelectorSet(self._namespaces)
        alone.put(None, selectors, column)
        everywhere: list[int] = []
        staying: list[int] = []
        for row, pods in enumerate(self._nodes.pods):
            for pod in pods.values():
                if alone.selecting(pod.namespace, pod.labels):
                    everywhere.append(row)
                    if not pod.is_terminating:
                        staying.append(row)
        for place, rows in ((ALL, everywhere), (STAYING, staying)):
            column.buffer[place, : len(self._nodes)] = np.bincount(rows, minlength=len(self._nodes))
        return column
