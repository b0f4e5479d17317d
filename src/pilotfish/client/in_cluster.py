"""The configuration of a pod: its ServiceAccount's token and CA, and two environment variables."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from pilotfish.client.cluster_config import ClusterConfig, TlsSettings
from pilotfish.client.credentials import TokenFile
from pilotfish.client.errors import ConfigError
from pilotfish.client.proxy import proxy_from_env

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
SERVICE_ACCOUNT_VARIABLE = "PILOTFISH_SERVICE_ACCOUNT"  # another folder, outside of pods


def is_in_cluster(env: Mapping[str, str], folder: Path = SERVICE_ACCOUNT) -> bool:
    """Tell whether this process runs in a pod that was given a ServiceAccount.

    Source: client-go v0.36 tools/clientcmd/client_config.go, inClusterClientConfig.Possible.
    """
    return bool(
        env.get("KUBERNETES_SERVICE_HOST")
        and env.get("KUBERNETES_SERVICE_PORT")
        and (folder / "token").is_file()
    )


def in_cluster_config(
    env: Mapping[str, str],
    folder: Path = SERVICE_ACCOUNT,
    *,
    clock: Callable[[], float] = time.monotonic,
) -> ClusterConfig:
    """Read the configuration of this pod; the token is read again at least every minute.

    Raises:
        ConfigError: the folder holds no CA.
    """
    host = env["KUBERNETES_SERVICE_HOST"]
    if ":" in host and not host.startswith("["):
        host = f"[{host}]"
    server = f"https://{host}:{env['KUBERNETES_SERVICE_PORT']}"
    ca = folder / "ca.crt"
    try:
        authority = ca.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{ca}: {error.strerror}",
            hint="a ServiceAccount's folder holds ca.crt, namespace and token; mount all of it",
        ) from error
    namespace = folder / "namespace"
    return ClusterConfig(
        server=server,
        source="in-cluster",
        tls=TlsSettings(ca=authority),
        credentials=TokenFile(folder / "token", clock=clock),
        proxy=proxy_from_env(server, env),
        namespace=namespace.read_text("utf-8").strip() if namespace.is_file() else "default",
    )
