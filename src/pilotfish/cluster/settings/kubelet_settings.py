"""What the simulated nodes are and how the pods on them behave.

Every field has a working default. What a pod's annotations say
(`pilotfish.cluster.kubelet.annotations`) wins over the first of `pods` here that selects it, and
that over the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import msgspec

from pilotfish.api.node import Effect
from pilotfish.api.quantity import Quantity

NodeFault = Literal["", "NotReady", "Silent"]
PodFault = Literal["", "CrashLoop", "ImagePull", "NotReady"]
Count = Annotated[int, msgspec.Meta(ge=0)]
NotNegative = Annotated[float, msgspec.Meta(ge=0)]
Positive = Annotated[float, msgspec.Meta(gt=0)]
Amount = str | int | float
MEBIBYTE = 1024 * 1024


class Delay(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How long something takes: `seconds`, and up to `jitterSeconds` more by chance."""

    seconds: NotNegative
    jitter_seconds: NotNegative = 0.0


class NodeGroup(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """Nodes that are alike; they are named `<name>-1`, `<name>-2` and so on.

    A second group of the same name goes on counting.
    """

    name: str = "node"
    count: Count = 3
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    taints: tuple[str, ...] = ()
    """As kubectl writes them: `key=value:Effect` or `key:Effect`."""
    zones: tuple[str, ...] = ()
    """Zones of the nodes, in turn; none without."""
    region: str = ""
    capacity: Mapping[str, Amount] = {}
    """Over the defaults: 4 CPUs, 16Gi of memory, 100Gi of ephemeral storage and 110 pods."""
    reserved: Mapping[str, Amount] = {}
    """What is taken off the capacity; the rest is allocatable."""
    images: dict[str, Count] = {}
    """Images that are on the nodes from the start, with their size in bytes; 0 makes one up."""
    pullable: tuple[str, ...] | None = None
    """Patterns (`nginx*`) of images that can be pulled; None: every image. `[]` says that images
    must be given: what is not in `images` fails with ErrImagePull or ErrImageNeverPull."""
    fault: NodeFault = ""
    """`NotReady`: heartbeats go on, the runtime is down. `Silent`: the kubelet is dead."""

    def __post_init__(self) -> None:
        """Check what is written as text.

        Raises:
            ValueError: A taint or a quantity cannot be read.
        """
        for text in self.taints:
            key, _, effect = text.rpartition(":")
            if not key.partition("=")[0] or effect not in get_args(Effect):
                raise ValueError(f"taint '{text}' is not like key=value:NoSchedule")
        for amounts in (self.capacity, self.reserved):
            for quantity in amounts.values():
                Quantity.parse(str(quantity))


class PodRule(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """How the pods that it selects behave; None leaves a value to the next source."""

    namespace: str = ""
    """Empty selects pods of every namespace."""
    labels: dict[str, str] = {}
    """Labels that a pod must have."""
    image: str = ""
    """A pattern that an image of the pod must match; empty matches all."""
    run: Delay | None = None
    """After how long each container ends by itself; None: never, but pods of Jobs."""
    exit_code: int | None = None
    pull: Delay | None = None
    start: Delay | None = None
    ready: Delay | None = None
    """From the start of a container until it is ready."""
    stop: Delay | None = None
    """From SIGTERM until a container has ended."""
    fault: PodFault | None = None
    """`CrashLoop`: containers fail soon after each start. `ImagePull`: no image can be pulled.
    `NotReady`: no container gets ready."""
    cpu: NotNegative | None = None
    """Used CPU as a share of the request; None: between a fifth and four fifths."""


class KubeletSettings(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    """What all simulated kubelets have in common."""

    seed: int = 0
    """Of all chance: the same pods (by uid) behave the same at the same seed."""
    version: str = "v1.36.3"
    pods: tuple[PodRule, ...] = ()
    sandbox: Delay = Delay(0.1, 0.1)
    """From the kubelet's first sight of a pod until its network stands."""
    pull: Delay = Delay(0.3, 0.5)
    start: Delay = Delay(0.05, 0.1)
    ready: Delay = Delay(0.0)
    """From start to ready, beyond what the container's probes ask for."""
    init: Delay = Delay(0.5, 0.5)
    """How long an init container runs."""
    job: Delay = Delay(5.0, 2.0)
    """How long the containers of a Job's pod run."""
    crash: Delay = Delay(1.0, 1.0)
    """How long a container runs that is in a crash loop."""
    stop: Delay = Delay(0.2, 0.3)
    pre_stop: Delay = Delay(1.0)
    """How long a preStop hook takes that is not a sleep."""
    lease_renew_seconds: Positive = 10.0
    lease_duration_seconds: Count = 40
    lease_renewals_per_second: Positive = 200.0
    """Where more nodes than this allows renew less often, down to every 30 seconds."""
    status_report_seconds: Positive = 300.0
    """How often a node's unchanged status is reported."""
    log_seconds: Positive = 10.0
    """How often a simulated container writes a line."""
    events: bool = True
    """Whether kubelets write Events."""
    local_images: dict[str, tuple[str, ...]] = {}
    """Images whose containers are run as processes of this user, with their command."""


DEFAULT_NODE_GROUPS: tuple[NodeGroup, ...] = (NodeGroup(),)
