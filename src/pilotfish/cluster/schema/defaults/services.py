"""Defaults of services.

Source: kubernetes v1.36 pkg/apis/core/v1/defaults.go, pkg/api/v1/service/util.go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pilotfish.cluster.schema.defaults.core import CORE

JsonObject = dict[str, Any]

STICKY_SECONDS: Final = 3 * 3600


def _service(obj: JsonObject) -> None:
    spec = obj["spec"]
    _session_affinity(spec)
    kind = spec.setdefault("type", "ClusterIP")
    for port in spec.get("ports", ()):
        port.setdefault("protocol", "TCP")
        if port["targetPort"] in (0, ""):
            port["targetPort"] = port["port"]
    outside = kind in ("NodePort", "LoadBalancer")
    if outside or (kind == "ClusterIP" and spec.get("externalIPs")):
        spec.setdefault("externalTrafficPolicy", "Cluster")
    if outside or kind == "ClusterIP":
        spec.setdefault("internalTrafficPolicy", "Cluster")
    if kind == "LoadBalancer":
        spec.setdefault("allocateLoadBalancerNodePorts", True)
        for ingress in obj["status"]["loadBalancer"].get("ingress", ()):
            if "ip" in ingress:
                ingress.setdefault("ipMode", "VIP")


def _session_affinity(spec: JsonObject) -> None:
    match spec.setdefault("sessionAffinity", "None"):
        case "None":
            spec.pop("sessionAffinityConfig", None)
        case "ClientIP":
            seconds = (
                spec.get("sessionAffinityConfig", {}).get("clientIP", {}).get("timeoutSeconds")
            )
            if seconds is None:
                spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": STICKY_SECONDS}}


RULES: Final[dict[str, Callable[[JsonObject], None]]] = {CORE + "Service": _service}
