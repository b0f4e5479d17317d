"""Containers of local images: processes of this user that someone outside starts and stops.

A container's command is the image's, followed by the container's `args`; what a container says as
`command` is not run. Environment, ServiceAccount token and CA are as in a pod. differs: volumes are
not mounted, and `resourceFieldRef` is refused.

Source: kubernetes v1.36 pkg/kubelet/kubelet_pods.go (makeEnvironmentVariables), and
    third_party/forked/golang/expansion for `$(NAME)`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections import deque
from collections.abc import Mapping
from typing import Final, TypeAlias

import msgspec

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kinds import CONFIG_MAPS, PODS, SECRETS, SERVICE_ACCOUNTS
from pilotfish.cluster.kubelet.images import full_name
from pilotfish.cluster.kubelet.pod_run import ContainerRun, PodRun
from pilotfish.cluster.loopback_client import LoopbackClient
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import containers_of
from pilotfish.cluster.resources import Resource

TOKEN_SECONDS: Final = 3607  # what kubelets ask for
LOOPBACK: Final = "127.0.0.1"  # where a process of this machine may listen; podIP is made up
_REFERENCE: Final = re.compile(r"\$(\$|\(([^)]*)\))")


class StartProcess(msgspec.Struct, frozen=True):
    """Start a container's process, its output to be reported line by line.

    Attributes:
        env: what the pod sets; the executor adds where the API server and `files` are.
        files: names and contents of what a ServiceAccount's folder holds; empty without one.
    """

    uid: str
    container: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    files: Mapping[str, str]


class StopProcess(msgspec.Struct, frozen=True):
    """Terminate a container's process, and kill it after a grace period."""

    uid: str
    container: str
    grace_seconds: float


class ProcessStarted(msgspec.Struct, frozen=True):
    """A process runs."""

    uid: str
    container: str


class ProcessOutput(msgspec.Struct, frozen=True):
    """A process wrote a line."""

    uid: str
    container: str
    line: str


class ProcessExited(msgspec.Struct, frozen=True):
    """A process has ended, or (with a message) could not be started."""

    uid: str
    container: str
    exit_code: int
    message: str = ""


Effect: TypeAlias = StartProcess | StopProcess
Input: TypeAlias = ProcessStarted | ProcessOutput | ProcessExited


class ContainerConfigError(Exception):
    """A container cannot be made as its pod says."""


class LocalProcesses:
    """Makes the effects that start and stop processes.

    Attributes:
        effects: what is to be executed, oldest first.
    """

    def __init__(self, client: LoopbackClient, images: Mapping[str, tuple[str, ...]]) -> None:
        self.effects: deque[Effect] = deque()
        self._client = client
        self._commands = {full_name(image): command for image, command in images.items()}

    def is_local(self, image: str) -> bool:
        """Say whether containers of an image are processes."""
        return bool(self._commands) and full_name(image) in self._commands

    def start(self, pod: PodRun, container: ContainerRun, now: float) -> None:
        """Ask for a process.

        Raises:
            ContainerConfigError: It cannot be made as the pod says.
        """
        stored = self._client.get(PODS, pod.namespace, pod.name)
        if stored is None:
            return
        mine = next(c for c in containers_of(stored["spec"]) if c["name"] == container.name)
        env = self._environment(stored, mine)
        args = [_expand(arg, env) for arg in mine.get("args") or ()]
        argv = (*self._commands[full_name(container.image)], *args)
        files = self._files(stored, now)
        container.is_process = True
        self.effects.append(StartProcess(pod.uid, container.name, argv, env, files))

    def stop(self, pod: PodRun, container: ContainerRun, grace_seconds: float) -> None:
        """Ask for a process's end."""
        self.effects.append(StopProcess(pod.uid, container.name, grace_seconds))

    def _files(self, pod: JsonObject, now: float) -> dict[str, str]:
        """Make what is mounted at /var/run/secrets/kubernetes.io/serviceaccount."""
        metadata, spec = pod["metadata"], pod["spec"]
        account = spec.get("serviceAccountName") or ""
        volumes = spec.get("volumes") or ()
        sources = [s for v in volumes for s in (v.get("projected") or {}).get("sources") or ()]
        if not account or not any("serviceAccountToken" in source for source in sources):
            return {}
        bound = {"apiVersion": "v1", "kind": "Pod", "name": metadata["name"]}
        wanted = {
            "expirationSeconds": TOKEN_SECONDS,
            "boundObjectRef": bound | {"uid": metadata["uid"]},
        }
        try:
            answer = self._client.create_subresource(
                SERVICE_ACCOUNTS, metadata["namespace"], account, "token", {"spec": wanted}, now
            )
        except StatusError as error:
            raise ContainerConfigError(f"token of serviceaccount {account!r}: {error}") from error
        token: str = answer["status"]["token"]
        ca = self._client.settings.root_ca
        return {"token": token, "ca.crt": ca, "namespace": metadata["namespace"]}

    def _environment(self, pod: JsonObject, container: JsonObject) -> dict[str, str]:
        namespace = pod["metadata"]["namespace"]
        env: dict[str, str] = {"HOSTNAME": pod["spec"].get("hostname") or pod["metadata"]["name"]}
        for source in container.get("envFrom") or ():
            prefix = source.get("prefix", "")
            for resource, key in ((CONFIG_MAPS, "configMapRef"), (SECRETS, "secretRef")):
                if reference := source.get(key):
                    data = self._data(resource, namespace, reference)
                    env |= {prefix + name: value for name, value in data.items()}
        for variable in container.get("env") or ():
            if "valueFrom" not in variable:
                env[variable["name"]] = _expand(variable.get("value", ""), env)
            elif (value := self._value(pod, variable["valueFrom"])) is not None:
                env[variable["name"]] = value
        return env

    def _value(self, pod: JsonObject, source: JsonObject) -> str | None:
        namespace = pod["metadata"]["namespace"]
        for resource, kind in ((CONFIG_MAPS, "configMapKeyRef"), (SECRETS, "secretKeyRef")):
            if reference := source.get(kind):
                data = self._data(resource, namespace, reference)
                if reference["key"] in data or reference.get("optional"):
                    return data.get(reference["key"])
                name = f"{namespace}/{reference['name']}"
                raise ContainerConfigError(
                    f"couldn't find key {reference['key']} in {resource.kind} {name}"
                )
        if reference := source.get("fieldRef"):
            path = reference["fieldPath"]
            return LOOPBACK if path == "status.podIP" else _field(pod, path)
        raise ContainerConfigError(f"{next(iter(source), 'valueFrom')} is not supported here")

    def _data(self, resource: Resource, namespace: str, reference: JsonObject) -> dict[str, str]:
        obj = self._client.get(resource, namespace, reference["name"])
        if obj is None:
            if reference.get("optional"):
                return {}
            raise ContainerConfigError(f'{resource.singular} "{reference["name"]}" not found')
        data: dict[str, str] = obj.get("data") or {}
        if resource is SECRETS:
            return {key: b64decode(value).decode(errors="replace") for key, value in data.items()}
        return data


def _field(pod: JsonObject, path: str) -> str:
    """Read a field of the downward API.

    Source: kubernetes v1.36 pkg/fieldpath/fieldpath.go.
    """
    base, bracket, key = path.partition("['")
    value: object = pod
    for name in base.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    if bracket:
        value = value.get(key.removesuffix("']")) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


def _expand(text: str, env: Mapping[str, str]) -> str:
    """Put values in place of `$(NAME)`; `$$` is a dollar, unknown names stay as they are."""

    def value(match: re.Match[str]) -> str:
        return "$" if match[1] == "$" else env.get(match[2], match[0])

    return _REFERENCE.sub(value, text)
