"""Talks to a Kubernetes API server: pure state machines, and short async loops around them."""

from pilotfish.client.api_client import ApiClient, Response, always
from pilotfish.client.cluster_config import ClusterConfig, TlsSettings
from pilotfish.client.errors import (
    ApiError,
    ClientError,
    ConfigError,
    ConnectionFailed,
    CredentialsError,
    ProtocolError,
)
from pilotfish.client.load_config import load_config
from pilotfish.client.reflector import (
    Apply,
    Bookmark,
    Delete,
    Event,
    Init,
    InitApply,
    InitDone,
    Malformed,
    Reflector,
)
from pilotfish.client.watch import Timing, list_all, reflect

__all__ = [
    "ApiClient",
    "ApiError",
    "Apply",
    "Bookmark",
    "ClientError",
    "ClusterConfig",
    "ConfigError",
    "ConnectionFailed",
    "CredentialsError",
    "Delete",
    "Event",
    "Init",
    "InitApply",
    "InitDone",
    "Malformed",
    "ProtocolError",
    "Reflector",
    "Response",
    "Timing",
    "TlsSettings",
    "always",
    "list_all",
    "load_config",
    "reflect",
]
