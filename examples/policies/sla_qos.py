"""SLA and QoS: who was promised more is placed first, and Guaranteed pods have quiet neighbours.

Priority orders the queue, then the label `sla` (gold, silver), then time. Guaranteed pods keep off
nodes with others, whose bursts they would feel, and the others keep off theirs. Use it where some
pods are paid for; it trades away packing, and pods without an SLA wait longer under load.
"""

from pilotfish import NodeInfo, PerNodePlugin, Pod, fewest_is_best

PROMISES = {"gold": 0, "silver": 1}


class SlaQos(PerNodePlugin):
    name = "SlaQos"
    normalize = staticmethod(fewest_is_best)

    def sort_key(self, pod: Pod, timestamp: float) -> tuple[float, ...]:
        return -pod.priority, PROMISES.get(pod.labels.get("sla", ""), 2), timestamp

    def score_node(self, pod: Pod, node: NodeInfo) -> int:
        mine = pod.qos_class == "Guaranteed"
        return sum((one.qos_class == "Guaranteed") != mine for one in node.pods)
