"""What plugins say when no node is feasible: whom to evict, or why that does not help."""

from __future__ import annotations

import msgspec

from pilotfish.framework.pod_info import PodInfo


class Nominate(msgspec.Struct, frozen=True):
    """From `post_filter`: the pod fits on this node once these pods are gone.

    Attributes:
        ties: other nodes that are as good; the scheduler's generator chooses.
    """

    node_name: str
    victims: tuple[PodInfo, ...]
    ties: tuple[Nominate, ...] = ()


class Decline(msgspec.Struct, frozen=True):
    """From `post_filter`: this plugin has no node for the pod.

    Attributes:
        reason: ends the message about the pod.
        forget_nomination: whether an earlier nomination of the pod is void.
        is_final: whether no later plugin is asked, and only this reason is told.
    """

    reason: str
    forget_nomination: bool = False
    is_final: bool = False


class PostFiltered(msgspec.Struct, frozen=True):
    """What the plugins of a profile say together.

    Attributes:
        nomination: the node to make room on, if there is one.
        message: why there is none; empty when there is one, or when nobody was asked.
        forget_nomination: whether an earlier nomination of the pod is void.
        plugin: who found the nomination.
    """

    nomination: Nominate | None = None
    message: str = ""
    forget_nomination: bool = False
    plugin: str = ""
