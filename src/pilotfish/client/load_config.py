"""Finds the configuration and turns it into a ClusterConfig.

Source: client-go v0.36 tools/clientcmd/{client_config,validation}.go.
"""

import base64
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pilotfish.client.cluster_config import ClusterConfig, TlsSettings
from pilotfish.client.credentials import (
    ClientCertificate,
    Credential,
    CredentialSource,
    StaticCredential,
    TokenFile,
    basic,
    bearer,
)
from pilotfish.client.errors import ConfigError
from pilotfish.client.exec_plugin import API_VERSIONS, ExecPlugin, ExecSettings
from pilotfish.client.in_cluster import (
    SERVICE_ACCOUNT,
    SERVICE_ACCOUNT_VARIABLE,
    in_cluster_config,
    is_in_cluster,
)
from pilotfish.client.kubeconfig import Cluster, Exec, Selection, select_context
from pilotfish.client.proxy import checked_proxy, is_http_url, proxy_from_env

_EXEC_EXTENSION = "client.authentication.k8s.io/exec"
_INTERACTIVE_MODES = ("Never", "IfAvailable", "Always")

_UNSUPPORTED = {
    "auth_provider": ("auth-provider", "use an exec plugin: v1.26 removed auth-provider"),
    "impersonate": ("as", "give the user itself the permissions"),
    "as_uid": ("as-uid", "give the user itself the permissions"),
    "as_groups": ("as-groups", "give the user itself the permissions"),
    "as_user_extra": ("as-user-extra", "give the user itself the permissions"),
}


def load_config(
    kubeconfig: Path | None,
    context: str | None,
    env: Mapping[str, str],
    *,
    service_account: Path = SERVICE_ACCOUNT,
) -> ClusterConfig:
    """Find the configuration: the given file, KUBECONFIG, in-cluster or ~/.kube/config.

    The first of these that there is counts. A `context` asks for a kubeconfig, so in-cluster is
    skipped then. Files of the KUBECONFIG list that do not exist are skipped, but not all of them.
    PILOTFISH_SERVICE_ACCOUNT names another folder for the in-cluster configuration.

    Raises:
        ConfigError: nothing was found, or what was found is unusable.
    """
    service_account = Path(env.get(SERVICE_ACCOUNT_VARIABLE) or service_account)
    if kubeconfig is not None:
        return _from_files([kubeconfig], context, env)
    if listed := env.get("KUBECONFIG"):
        paths = [Path(part) for part in dict.fromkeys(listed.split(":")) if part]
        existing = [path for path in paths if path.exists()]
        if not existing:
            raise ConfigError(
                f"KUBECONFIG={listed}: no such file",
                hint="correct or unset the environment variable KUBECONFIG, or pass --kubeconfig",
            )
        return _from_files(existing, context, env)
    if context is None and is_in_cluster(env, service_account):
        return in_cluster_config(env, service_account)
    default = Path(env.get("HOME") or "/") / ".kube" / "config"
    if not default.exists():
        if env.get("KUBERNETES_SERVICE_HOST"):
            raise ConfigError(
                f"no configuration found: this pod has no {service_account / 'token'}",
                hint="give it a ServiceAccount and let automountServiceAccountToken be true",
            )
        raise ConfigError(
            f"no configuration found: no KUBECONFIG, not in a pod, no {default}",
            hint="pass --kubeconfig, let kind or your provider's tool write one, or start a "
            "cluster: pilotfish cluster --merge-kubeconfig",
        )
    return _from_files([default], context, env)


def _from_files(paths: list[Path], context: str | None, env: Mapping[str, str]) -> ClusterConfig:
    selected = select_context(paths, context)
    cluster, where = selected.cluster, f"{selected.cluster_file}: cluster {selected.cluster_name!r}"
    server = _server(cluster, where)
    tls = _tls(selected, where)
    if cluster.proxy_url:
        proxy = checked_proxy(cluster.proxy_url, f"{where}: proxy-url")
    else:
        proxy = proxy_from_env(server, env)
    # As upstream: over plain HTTP everyone on the way could read the credentials, so none are sent.
    secure = server.startswith("https:")
    return ClusterConfig(
        server=server,
        source=selected.source,
        tls=tls,
        credentials=_credentials(selected, tls, env) if secure else StaticCredential(),
        proxy=proxy,
        namespace=selected.namespace,
    )


def _server(cluster: Cluster, where: str) -> str:
    server = cluster.server.rstrip("/")
    if server and "://" not in server:
        server = f"http://{server}"
    if not is_http_url(server):
        raise ConfigError(
            f"{where}: server is no http or https URL", hint="write it as https://host:port"
        )
    if urlsplit(server).username is not None:
        raise ConfigError(
            f"{where}: server holds a user name", hint="write username and password under users"
        )
    return server


def _tls(selected: Selection, where: str) -> TlsSettings:
    cluster = selected.cluster
    ca = _pem(
        selected.cluster_file,
        where,
        "certificate-authority",
        cluster.certificate_authority,
        cluster.certificate_authority_data,
    )
    if cluster.insecure_skip_tls_verify and ca is not None:
        raise ConfigError(
            f"{where}: insecure-skip-tls-verify and certificate-authority exclude each other",
            hint="remove insecure-skip-tls-verify: the server can be verified",
        )
    return TlsSettings(ca, cluster.insecure_skip_tls_verify, cluster.tls_server_name)


def _credentials(selected: Selection, tls: TlsSettings, env: Mapping[str, str]) -> CredentialSource:
    user, where = selected.user, f"{selected.user_file}: user {selected.user_name!r}"
    for attribute, (name, hint) in _UNSUPPORTED.items():
        if getattr(user, attribute):
            raise ConfigError(f"{where}: {name} is not supported", hint=hint)
    certificate = _certificate(selected, where)
    has_token = bool(user.token or user.token_file)
    has_basic = bool(user.username or user.password)
    if has_token and has_basic:
        raise ConfigError(
            f"{where}: token and username exclude each other", hint="remove one of the two"
        )
    if user.token_file:
        return TokenFile(
            selected.user_file.parent / user.token_file,
            clock=time.monotonic,
            initial=Credential(bearer(user.token), certificate),
        )
    if has_token or has_basic or certificate is not None or user.exec is None:
        header = basic(user.username, user.password) if has_basic else bearer(user.token)
        return StaticCredential(Credential(header, certificate))
    return ExecPlugin(_exec_settings(selected, user.exec, where, tls, env))


def _certificate(selected: Selection, where: str) -> ClientCertificate | None:
    user, file = selected.user, selected.user_file
    certificate = _pem(
        file,
        where,
        "client-certificate",
        user.client_certificate,
        user.client_certificate_data,
    )
    key = _pem(file, where, "client-key", user.client_key, user.client_key_data)
    if certificate is None:
        return None
    if key is None:
        raise ConfigError(
            f"{where}: client-certificate is there, client-key is not",
            hint="add client-key or client-key-data",
        )
    return ClientCertificate(certificate, key)


def _pem(file: Path, where: str, field: str, path: str, data: str) -> bytes | None:
    """Return what a pair of fields like client-key and client-key-data holds; data wins."""
    if data:
        try:
            return base64.b64decode("".join(data.split()), validate=True)
        except ValueError:
            raise ConfigError(
                f"{where}: {field}-data is no base64",
                hint=f"encode the PEM file: base64 -w0, or name it in {field}",
            ) from None
    if not path:
        return None
    target = file.parent / path
    try:
        return target.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{where}: {field} {target}: {error.strerror}",
            hint="relative paths start at the kubeconfig's folder",
        ) from error


def _exec_settings(
    selected: Selection, plugin: Exec, where: str, tls: TlsSettings, env: Mapping[str, str]
) -> ExecSettings:
    if not plugin.command:
        raise ConfigError(f"{where}: exec.command is missing", hint="name the plugin's program")
    if plugin.api_version not in API_VERSIONS:
        raise ConfigError(
            f"{where}: exec.apiVersion {plugin.api_version!r} is not supported",
            hint=f"write {API_VERSIONS[0]}; the plugin may need a newer release",
        )
    # In v1 the field is required, in v1beta1 it defaults.
    mode = plugin.interactive_mode or ("IfAvailable" if "beta" in plugin.api_version else "")
    if mode not in _INTERACTIVE_MODES:
        raise ConfigError(
            f"{where}: exec.interactiveMode {mode!r} is not supported",
            hint=f"set it to one of {', '.join(_INTERACTIVE_MODES)}",
        )
    command = plugin.command
    if "/" in command:
        command = str(selected.user_file.parent.absolute() / command)
    return ExecSettings(
        where=where,
        api_version=plugin.api_version,
        command=command,
        args=tuple(plugin.args or ()),
        env={**env, **{variable.name: variable.value for variable in plugin.env or ()}},
        interactive_mode=mode,
        install_hint=" ".join(plugin.install_hint.split()),
        cluster=_cluster_info(selected.cluster, tls) if plugin.provide_cluster_info else None,
    )


def _cluster_info(cluster: Cluster, tls: TlsSettings) -> dict[str, Any]:
    """Return the cluster as exec plugins are told about it, without empty fields."""
    extensions = {each.name: each.extension for each in cluster.extensions or ()}
    info = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(tls.ca or b"").decode(),
        "proxy-url": cluster.proxy_url,
        "config": extensions.get(_EXEC_EXTENSION),
    }
    return {name: value for name, value in info.items() if value}
