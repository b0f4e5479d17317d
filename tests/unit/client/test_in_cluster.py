import asyncio
from pathlib import Path

import pytest

from pilotfish.client.errors import ConfigError
from pilotfish.client.in_cluster import in_cluster_config, is_in_cluster

ENV = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A ServiceAccount's folder."""
    for name, content in (("token", "t0ken"), ("ca.crt", "PEM"), ("namespace", "kube-system")):
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_pod_s_configuration(folder: Path) -> None:
    config = in_cluster_config(ENV, folder)

    assert config.server == "https://10.96.0.1:443"
    assert config.tls.ca == b"PEM"
    assert config.namespace == "kube-system"
    assert asyncio.run(config.credentials.current()).authorization == "Bearer t0ken"
    assert "t0ken" not in repr(config)


def test_an_ipv6_service_gets_brackets(folder: Path) -> None:
    config = in_cluster_config({**ENV, "KUBERNETES_SERVICE_HOST": "fd00::1"}, folder)

    assert config.server == "https://[fd00::1]:443"


def test_the_token_is_read_again_before_it_expires(folder: Path) -> None:
    now = 0.0
    config = in_cluster_config(ENV, folder, clock=lambda: now)
    asyncio.run(config.credentials.current())
    (folder / "token").write_text("rotated")

    now = 60.0

    assert asyncio.run(config.credentials.current()).authorization == "Bearer rotated"


def test_a_pod_needs_the_environment_and_a_token(folder: Path) -> None:
    assert is_in_cluster(ENV, folder)
    assert not is_in_cluster({}, folder)
    assert not is_in_cluster({**ENV, "KUBERNETES_SERVICE_PORT": ""}, folder)
    (folder / "token").unlink()
    assert not is_in_cluster(ENV, folder)


def test_a_missing_ca_is_named(folder: Path) -> None:
    (folder / "ca.crt").unlink()

    with pytest.raises(ConfigError, match=r"ca\.crt: No such file"):
        in_cluster_config(ENV, folder)
