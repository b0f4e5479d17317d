"""Lowest cost: pods go to the cheapest node that has room; the label `price` says what it costs.

Use it with nodes of several prices, spot nodes above all. It trades away what is dear for a reason:
speed, and nodes that are not taken away. Nodes without a price count as the dearest.
"""

from collections.abc import Iterable

from pilotfish import NodeInfo, PerNodePlugin, Pod, fewest_is_best


class LowestCost(PerNodePlugin):
    name = "LowestCost"
    normalize = staticmethod(fewest_is_best)

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        return round(100 * float(node.labels.get("price", 1000)))

    @staticmethod
    def summary(nodes: Iterable[NodeInfo]) -> str:
        prices = [float(node.labels.get("price", 0)) for node in nodes if node.pods]
        return f"the {len(prices)} nodes in use cost {sum(prices):.2f} an hour"
