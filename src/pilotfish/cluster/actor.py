"""What acts in a cluster by itself: controllers, kubelets and what keeps house."""

from __future__ import annotations

from typing import Protocol


class Actor(Protocol):
    """A controller, or the kubelets: acts on what changed and on what is due.

    Constructed as `X(client)`; does nothing until the first `sync`, which reads what it needs from
    `client.store`. `pilotfish.cluster.controllers.controllers_of(client)` and
    `pilotfish.cluster.kubelet.kubelets_of(client)` give those that a cluster runs.
    """

    def sync(self, now: float) -> float | None:
        """Do what is due and give the time of the next thing to do, None where only changes count.

        Called again after any write, also its own, until nobody writes anything; then at the
        earliest time that an actor gave.
        """
        ...
