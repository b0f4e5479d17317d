"""Defaults of pods and of what pod templates share with them.

Source: kubernetes v1.36 pkg/apis/core/v1/defaults.go, conversion.go (serviceAccount),
    staging/src/k8s.io/component-helpers/resource/helpers.go (pod-level resources).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from pilotfish.cluster.schema.defaults.core import CORE, round_resources
from pilotfish.cluster.schema.defaults.pod_level import default_pod_level_resources

JsonObject = dict[str, Any]

FILE_MODE: Final = 0o644
TOKEN_SECONDS: Final = 3600

_HOST_PART: Final = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_PATH_PART: Final = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_IMAGE: Final = re.compile(
    rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*(?::[0-9]+)?/)?{_PATH_PART}(?:/{_PATH_PART})*"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?P<digest>@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?",
    re.ASCII,
)


def _pod(obj: JsonObject) -> None:
    spec = obj["spec"]
    containers = [*(spec.get("containers") or ()), *spec.get("initContainers", ())]
    for container in containers:
        resources = container["resources"]
        if limits := resources.get("limits"):
            resources["requests"] = {**limits, **resources.get("requests", {})}
    default_pod_level_resources(spec)
    spec.setdefault("enableServiceLinks", True)
    if spec.get("hostNetwork"):
        for port in (port for container in containers for port in container.get("ports", ())):
            port.setdefault("hostPort", port["containerPort"])


def _pod_spec(spec: JsonObject) -> None:
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("securityContext", {})
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec.setdefault("schedulerName", "default-scheduler")
    round_resources(spec.get("overhead"))
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account


def _container(container: JsonObject) -> None:
    container.setdefault("imagePullPolicy", _pull_policy(container.get("image", "")))
    container.setdefault("terminationMessagePath", "/dev/termination-log")
    container.setdefault("terminationMessagePolicy", "File")


def _pull_policy(image: str) -> str:
    """Return Always for the tag "latest", which an image without tag and digest has too.

    An image that cannot be parsed has no tag, as upstream takes it.
    """
    if (match := _IMAGE.fullmatch(image)) is None:
        return "IfNotPresent"
    tag = match["tag"] or ("" if match["digest"] else "latest")
    return "Always" if tag == "latest" else "IfNotPresent"


def _probe(probe: JsonObject) -> None:
    probe.setdefault("timeoutSeconds", 1)
    probe.setdefault("periodSeconds", 10)
    probe.setdefault("successThreshold", 1)
    probe.setdefault("failureThreshold", 3)


def _grpc_action(action: JsonObject) -> None:
    if action.get("service") is None:
        action["service"] = ""


def _http_get(action: JsonObject) -> None:
    action.setdefault("path", "/")
    action.setdefault("scheme", "HTTP")


def _volume(volume: JsonObject) -> None:
    if len(volume) == 1:  # a name alone
        volume["emptyDir"] = {}
    if (image := volume.get("image")) is not None:
        image.setdefault("pullPolicy", _pull_policy(image.get("reference", "")))


def _file_mode(source: JsonObject) -> None:
    source.setdefault("defaultMode", FILE_MODE)


def _host_path(source: JsonObject) -> None:
    source.setdefault("type", "")


def _token_projection(source: JsonObject) -> None:
    source.setdefault("expirationSeconds", TOKEN_SECONDS)


def _field_reference(reference: JsonObject) -> None:
    reference.setdefault("apiVersion", "v1")


RULES: Final[dict[str, Callable[[JsonObject], None]]] = {
    CORE + "ConfigMapVolumeSource": _file_mode,
    CORE + "Container": _container,
    CORE + "DownwardAPIVolumeSource": _file_mode,
    CORE + "EphemeralContainer": _container,
    CORE + "GRPCAction": _grpc_action,
    CORE + "HTTPGetAction": _http_get,
    CORE + "HostPathVolumeSource": _host_path,
    CORE + "ObjectFieldSelector": _field_reference,
    CORE + "Pod": _pod,
    CORE + "PodSpec": _pod_spec,
    CORE + "Probe": _probe,
    CORE + "ProjectedVolumeSource": _file_mode,
    CORE + "SecretVolumeSource": _file_mode,
    CORE + "ServiceAccountTokenProjection": _token_projection,
    CORE + "Volume": _volume,
}
