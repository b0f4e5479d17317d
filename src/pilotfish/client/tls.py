"""TLS contexts from PEM bytes."""

import ssl
import tempfile

from pilotfish.client.cluster_config import TlsSettings
from pilotfish.client.credentials import ClientCertificate
from pilotfish.client.errors import ConfigError


def ssl_context(
    settings: TlsSettings, certificate: ClientCertificate | None, source: str
) -> ssl.SSLContext:
    """Build the context; it verifies the server unless the settings say otherwise.

    `source` says in messages where the settings are from.

    Raises:
        ConfigError: the CA or the client certificate is no usable PEM.
    """
    # Not create_default_context: from Python 3.13 on it demands key identifiers, which Go does not
    # and which the CAs of many clusters lack.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if settings.ca is None:
        context.load_default_certs()
    else:
        try:
            context.load_verify_locations(cadata=settings.ca.decode("ascii", "ignore"))
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(
                f"{source}: certificate-authority: no PEM certificate could be read from it",
                hint="point certificate-authority at a PEM file, or put its base64 in -data",
            ) from error
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if certificate is not None:
        _load(context, certificate, source)
    return context


def _load(context: ssl.SSLContext, certificate: ClientCertificate, source: str) -> None:
    """Load certificate and key through a file of mode 0600 that goes at once: OpenSSL wants one."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(certificate.certificate + b"\n" + certificate.key)
        file.flush()
        try:
            # With a password given, an encrypted key fails instead of prompting on the terminal.
            context.load_cert_chain(file.name, password="")
        except (ssl.SSLError, ValueError) as error:
            raise ConfigError(
                f"{source}: client-certificate, client-key: no PEM pair that belongs together",
                hint="check that the key matches the certificate and has no passphrase",
            ) from error
