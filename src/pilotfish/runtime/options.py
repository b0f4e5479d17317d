"""Options: what `pilotfish run` can be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pilotfish.client.election import ElectionSettings
from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.plugins.policies import Policy
from pilotfish.runtime import words

GRACE_SECONDS = 10.0
INTERVAL_SECONDS = 2.0
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How one scheduler runs.

    Attributes:
        qps: requests a second; 0 is unlimited.
        burst: requests at once after a quiet spell; 0 is one second's worth.
        grace_seconds: for the binds in flight after the first signal.
        record: where the input log goes; None keeps none.
        bind_address: where health and metrics are served; on a port of 0 they are not.
        election: by which Lease one of several replicas is chosen; None for a single one.
        configuration: the profiles and the settings of the queue, complete; None is one profile,
            the default one, for `scheduler_name`.
        policies: what the configuration may name beside pilotfish's own plugins.
    """

    scheduler_name: str = "my-scheduler"
    mode: words.Mode = "watch"
    interval_seconds: float = INTERVAL_SECONDS
    kubeconfig: Path | None = None
    context: str | None = None
    log_format: Literal["text", "json"] = "text"
    log_level: str = "info"
    dry_run: bool = False
    force: bool = False
    qps: float = 0.0
    burst: int = 0
    seed: int = 0
    grace_seconds: float = GRACE_SECONDS
    record: Path | None = None
    bind_address: str = LOOPBACK
    health_port: int = 0
    debug: bool = False
    election: ElectionSettings | None = None
    configuration: KubeSchedulerConfiguration | None = None
    policies: tuple[Policy, ...] = ()

    @property
    def health_url(self) -> str:
        """Where health and metrics are served."""
        host = f"[{self.bind_address}]" if ":" in self.bind_address else self.bind_address
        return f"http://{host}:{self.health_port}"

    @property
    def scheduler_names(self) -> tuple[str, ...]:
        """Whose pods are placed."""
        if self.configuration is None:
            return (self.scheduler_name,)
        return tuple(profile.scheduler_name for profile in self.configuration.profiles)
