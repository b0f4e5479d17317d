"""Bin packing: pods go to the fullest node that still has room for them.

Use it where large pods come later and need room in one piece, or where an autoscaler takes empty
nodes away. It trades away headroom: on full nodes bursts of one pod slow down its neighbours, and a
failing node takes many pods along.
"""

from pilotfish import NodeInfo, PerNodePlugin, Pod


class BinPacking(PerNodePlugin):
    name = "BinPacking"

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        full = max(
            node.requested[name] / max(1, node.allocatable[name]) for name in ("cpu", "memory")
        )
        return min(100, round(100 * full))
