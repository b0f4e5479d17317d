"""Which API server to talk to, and how."""

from dataclasses import dataclass, field

from pilotfish.client.credentials import CredentialSource, StaticCredential


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """How the server is verified.

    Attributes:
        ca: PEM certificates to trust; None trusts the system's.
        insecure: True verifies nothing.
        server_name: the name that the certificate must carry, when it is not the URL's host.
    """

    ca: bytes | None = field(default=None, repr=False)
    insecure: bool = False
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterConfig:
    """Everything that `ApiClient` needs.

    Attributes:
        server: the URL of the API server, without a trailing slash; may have a path.
        source: where this came from, for messages.
        tls: how the server is verified.
        credentials: who we are.
        proxy: the URL of an HTTP proxy, or ""; hidden in reprs, since it may hold a password.
        namespace: the context's namespace.
    """

    server: str
    source: str
    tls: TlsSettings = TlsSettings()
    credentials: CredentialSource = field(default_factory=StaticCredential, repr=False)
    proxy: str = field(default="", repr=False)
    namespace: str = "default"
