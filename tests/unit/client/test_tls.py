import ssl

import pytest
import trustme

from pilotfish.client.cluster_config import TlsSettings
from pilotfish.client.credentials import ClientCertificate
from pilotfish.client.errors import ConfigError
from pilotfish.client.tls import ssl_context

AUTHORITY = trustme.CA()
CA = AUTHORITY.cert_pem.bytes()


def client_certificate(authority: trustme.CA = AUTHORITY) -> ClientCertificate:
    issued = authority.issue_cert("client")
    return ClientCertificate(issued.cert_chain_pems[0].bytes(), issued.private_key_pem.bytes())


def test_servers_are_verified_against_the_given_ca_alone() -> None:
    context = ssl_context(TlsSettings(ca=CA), None, "config")

    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1


def test_a_ca_file_may_hold_comments() -> None:
    context = ssl_context(TlsSettings(ca="# Autorité\n".encode() + CA), None, "config")

    assert len(context.get_ca_certs()) == 1


def test_insecure_verifies_nothing() -> None:
    assert ssl_context(TlsSettings(insecure=True), None, "config").verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("ca", [b"", b"no PEM"])
def test_a_ca_without_certificates_is_an_error(ca: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^config: certificate-authority: "):
        ssl_context(TlsSettings(ca=ca), None, "config")


def test_a_key_of_another_certificate_is_an_error() -> None:
    pair = ClientCertificate(client_certificate().certificate, client_certificate().key)

    with pytest.raises(ConfigError, match=r"^config: client-certificate, client-key: "):
        ssl_context(TlsSettings(ca=CA), pair, "config")
