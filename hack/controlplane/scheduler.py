"""Options of kube-scheduler and its configuration file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class SchedulerOptions:
    """How kube-scheduler runs; None leaves a setting to its default."""

    scheduler_name: str = "default-scheduler"
    qps: float | None = None
    """clientConnection.qps; upstream's default is 50."""
    burst: int | None = None
    """clientConnection.burst; upstream's default is 100."""
    percentage_of_nodes_to_score: int | None = None
    """100 looks at every node; 0 and None let it choose by the size of the cluster."""
    parallelism: int | None = None
    """How many workers filter and score; upstream's default is 16."""
    verbosity: int = 2
    vmodule: str = ""
    """`schedule_one=10` logs the scores of every plugin."""
    feature_gates: Mapping[str, bool] = field(default_factory=dict)
    profile: Mapping[str, Any] = field(default_factory=dict)
    """More fields of the profile: plugins, pluginConfig."""

    def configuration(self, kubeconfig: Path) -> str:
        """Render a KubeSchedulerConfiguration; JSON, which is YAML."""
        connection = {"kubeconfig": str(kubeconfig), "qps": self.qps, "burst": self.burst}
        profile = {"schedulerName": self.scheduler_name, **self.profile}
        settings = {
            "apiVersion": "kubescheduler.config.k8s.io/v1",
            "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {k: v for k, v in connection.items() if v is not None},
            "parallelism": self.parallelism,
            "percentageOfNodesToScore": self.percentage_of_nodes_to_score,
            "profiles": [profile],
        }
        return json.dumps({k: v for k, v in settings.items() if v is not None}, indent=2)
