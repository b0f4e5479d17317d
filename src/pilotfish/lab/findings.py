"""Findings: what a probe saw, and the lab's list of defects and checkpoints that they speak of."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

Verdict: TypeAlias = Literal["passed", "failed", "not judged"]

DEFECTS: Final = {
    1: "a successful bind is taken for an error, or ends the process",
    2: "full lists for each pod",
    3: "polling without a pause",
    4: "a watch that ends is not resumed",
    5: "a pod is tried once only, or when it is gone or bound already",
    6: "pods of other schedulers are bound",
    7: "choices that were just made do not count",
    8: "taints are not understood",
    9: "what a node has room for is not understood",
    10: "a rejection ends the scheduling of others",
    11: "a role for one namespace, or a borrowed one",
    12: "a refused bind is sent again for ever",
    13: "no Event and no condition says why a pod waits",
}
"""What is broken in schedulers that people write first, by its number on the lab's list."""

CHECKPOINTS: Final = {
    1: "the default scheduler assigns a node, and the kubelet starts the pod",
    2: "your scheduler observes, decides and binds its own pods",
    3: "it runs in the cluster, and its log says `Bound namespace/pod -> node`",
    4: "how quickly it reacts: polling against watch",
    5: "policies show in the placement",
}


class Finding(msgspec.Struct, frozen=True):
    """What one probe saw.

    Attributes:
        evidence: what was seen, in a sentence.
    """

    verdict: Verdict
    evidence: str
