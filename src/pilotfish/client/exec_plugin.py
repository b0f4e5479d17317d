"""Credentials from an exec plugin (client.authentication.k8s.io): a program that prints a token.

Source: client-go v0.36 plugin/pkg/client/auth/exec/exec.go. Differs: a credential is renewed 10 s
before it expires rather than after, and a plugin without a terminal has a minute to answer.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from pilotfish.client.credentials import ClientCertificate, Credential, bearer
from pilotfish.client.errors import CredentialsError

API_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
PLUGIN_SECONDS = 60.0
EXPIRY_LEEWAY_SECONDS = 10.0


class ExecSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the kubeconfig says about the plugin.

    Attributes:
        where: the file and user, for messages.
        api_version: the dialect that the plugin speaks.
        command: a path, or a name that is looked up in PATH.
        args: its arguments.
        env: all of its environment but KUBERNETES_EXEC_INFO.
        interactive_mode: Never, IfAvailable or Always.
        install_hint: what the kubeconfig's author says about getting the plugin.
        cluster: what the plugin is told about the cluster; None without provideClusterInfo.
    """

    where: str
    api_version: str
    command: str
    args: tuple[str, ...] = ()
    env: dict[str, str] = {}
    interactive_mode: str = "IfAvailable"
    install_hint: str = ""
    cluster: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Leave out arguments and environment: they may hold secrets."""
        return f"ExecSettings(where={self.where!r}, command={self.command!r})"


class _ExecStatus(msgspec.Struct, frozen=True, rename="camel"):
    token: str = ""
    client_certificate_data: str = ""
    client_key_data: str = ""
    expiration_timestamp: datetime | None = None

    def __repr__(self) -> str:
        return "_ExecStatus(...)"


class _ExecCredential(msgspec.Struct, frozen=True, rename="camel"):
    api_version: str
    kind: str
    status: _ExecStatus | None = None


def _stdin_is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


class ExecPlugin:
    """Runs the plugin when a credential is needed, one run at a time, and keeps what it printed."""

    def __init__(
        self,
        settings: ExecSettings,
        *,
        clock: Callable[[], float] = time.time,
        is_terminal: Callable[[], bool] = _stdin_is_terminal,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._is_terminal = is_terminal
        self._lock = asyncio.Lock()
        self._credential: Credential | None = None
        self._expires_at = float("inf")

    async def current(self) -> Credential:
        """Return the credential, from a new run when there is none or it is about to expire."""
        credential = self._fresh()
        if credential is None:
            async with self._lock:
                # Another request may have waited for the same run.
                credential = self._fresh() or await self._run()
        return credential

    async def renew(self, refused: Credential) -> Credential:
        """Run the plugin again, unless the refused credential is already replaced."""
        async with self._lock:
            if self._credential is None or self._credential is refused:
                return await self._run()
            return self._credential

    def _fresh(self) -> Credential | None:
        expired = self._clock() >= self._expires_at - EXPIRY_LEEWAY_SECONDS
        return None if expired else self._credential

    async def _run(self) -> Credential:
        status = self._read(await self._output(interactive=self._is_interactive()))
        certificate = None
        if status.client_certificate_data:
            certificate = ClientCertificate(
                status.client_certificate_data.encode(), status.client_key_data.encode()
            )
        if self._credential is not None and self._credential.certificate == certificate:
            certificate = self._credential.certificate  # the same object keeps the connections
        expires = status.expiration_timestamp
        self._expires_at = expires.timestamp() if expires else float("inf")
        self._credential = Credential(bearer(status.token), certificate)
        return self._credential

    async def _output(self, *, interactive: bool) -> bytes:
        settings = self._settings
        try:
            process = await asyncio.create_subprocess_exec(
                settings.command,
                *settings.args,
                stdin=None if interactive else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                env={
                    **settings.env,
                    "KUBERNETES_EXEC_INFO": self._exec_info(interactive=interactive),
                },
            )
        except OSError as error:
            raise self._error(
                f"{settings.command!r} cannot be run: {error.strerror}",
                settings.install_hint or "install the plugin, or check `command` and PATH",
            ) from error
        try:
            async with asyncio.timeout(None if interactive else PLUGIN_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            raise self._error(f"{settings.command!r} gave no answer within a minute") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise self._error(
                f"{settings.command!r} failed with exit code {process.returncode}",
                "run it by hand: what it wrote to standard error says why",
            )
        return output

    def _is_interactive(self) -> bool:
        mode = self._settings.interactive_mode
        if mode == "Always" and not self._is_terminal():
            raise self._error(
                "interactiveMode is Always, but standard input is no terminal",
                "set interactiveMode to IfAvailable if the plugin can do without questions",
            )
        return mode != "Never" and self._is_terminal()

    def _exec_info(self, *, interactive: bool) -> str:
        spec: dict[str, Any] = {"interactive": interactive}
        if self._settings.cluster is not None:
            spec["cluster"] = self._settings.cluster
        info = {"apiVersion": self._settings.api_version, "kind": "ExecCredential", "spec": spec}
        return msgspec.json.encode(info).decode()

    def _read(self, output: bytes) -> _ExecStatus:
        """Check what the plugin printed; no message quotes it, since it holds secrets."""
        try:
            answer = msgspec.json.decode(output, type=_ExecCredential)
        except ValueError as error:
            raise self._error(f"the plugin printed no ExecCredential: {error}") from None
        if (answer.kind, answer.api_version) != ("ExecCredential", self._settings.api_version):
            raise self._error(
                f"apiVersion is {self._settings.api_version}, the plugin did not answer in it",
                "set apiVersion to the version that the plugin speaks",
            )
        status = answer.status or _ExecStatus()
        if not status.token and not status.client_certificate_data:
            raise self._error("the plugin printed neither status.token nor a client certificate")
        if bool(status.client_certificate_data) != bool(status.client_key_data):
            raise self._error("the plugin printed a certificate or a key, but not both")
        return status

    def _error(
        self, what: str, hint: str = "run the plugin by hand to see why"
    ) -> CredentialsError:
        return CredentialsError(f"{self._settings.where}: exec: {what}", hint=hint)
