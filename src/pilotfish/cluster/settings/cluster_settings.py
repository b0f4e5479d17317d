"""How a cluster is set up."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Annotated

import msgspec

from pilotfish.cluster.settings.kubelet_settings import (
    DEFAULT_NODE_GROUPS,
    KubeletSettings,
    NodeGroup,
)


class ClusterSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """What the parts of a cluster are constructed with; each field has a working default."""

    node_groups: tuple[NodeGroup, ...] = DEFAULT_NODE_GROUPS
    """The simulated nodes."""

    kubelet: KubeletSettings = KubeletSettings()
    """How simulated nodes, and the pods on them, behave."""

    service_ip_range: str = "10.96.0.0/16"
    """IPv4 addresses of services; the first one is the API server's."""

    node_ports: tuple[int, int] = (30000, 32767)
    """First and last port that services of type NodePort and LoadBalancer get."""

    watch_window: Annotated[int, msgspec.Meta(gt=0)] = 10_000
    """Changes that the watch log of each resource keeps; older ones need a new list (410)."""

    event_ttl_seconds: Annotated[float, msgspec.Meta(gt=0)] = 3600.0
    """How long an Event is kept after it was last written."""

    root_ca: str = ""
    """The API server's CA in PEM, which every namespace gets as the ConfigMap kube-root-ca.crt."""

    def __post_init__(self) -> None:
        """Check what is written as text.

        Raises:
            ValueError: The addresses of services cannot be read.
        """
        IPv4Network(self.service_ip_range)
