"""Array types over N nodes, and the two reductions that plugins read best with."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable

Mask: TypeAlias = NDArray[np.bool_]  # bool[N]
Scores: TypeAlias = NDArray[np.int64]  # int64[N]
Ids: TypeAlias = NDArray[np.int32]  # int32[K, N] or int32[N], -1 where there is nothing
Amounts: TypeAlias = NDArray[np.int64]  # int64[R, N]
RowNumbers: TypeAlias = NDArray[np.intp]  # intp[M], rows of M of the nodes

MAX_NODE_SCORE = 100  # upstream MaxNodeScore


def any_per_node(marked: NDArray[np.bool_]) -> Mask:
    """Say for each node whether anything of it is marked: bool[K, N] -> bool[N]."""
    result: Mask = np.logical_or.reduce(marked, axis=0)
    return result


def count_per_node(marked: NDArray[np.bool_]) -> Scores:
    """Count what is marked on each node: bool[K, N] -> int64[N]."""
    result: Scores = np.add.reduce(marked, axis=0, dtype=np.int64)
    return result


def lookup(values: Iterable[bool]) -> NDArray[np.bool_]:
    """Make an array to be indexed by ids: an entry per distinct value, then False for -1."""
    return np.array([*values, False], dtype=np.bool_)
