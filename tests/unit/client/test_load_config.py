import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from kubeconfig_file import kubeconfig
from pilotfish.client.cluster_config import ClusterConfig
from pilotfish.client.credentials import Credential
from pilotfish.client.errors import ConfigError
from pilotfish.client.exec_plugin import ExecPlugin
from pilotfish.client.load_config import load_config

IN_CLUSTER = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443"}
EXEC = {"command": "login", "apiVersion": "client.authentication.k8s.io/v1"}


def load(path: Path, **env: str) -> ClusterConfig:
    return load_config(path, None, env)


def credential(config: ClusterConfig) -> Credential:
    return asyncio.run(config.credentials.current())


@pytest.fixture
def service_account(tmp_path: Path) -> Path:
    """A ServiceAccount's folder."""
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text("pod")
    (folder / "ca.crt").write_text("PEM")
    return folder


def test_places_are_tried_in_order(tmp_path: Path, service_account: Path) -> None:
    """The flag, KUBECONFIG, in-cluster, the default file."""
    flag, listed, default = (
        kubeconfig(tmp_path / where, cluster={"server": f"https://{name}"})
        for where, name in (("flag", "flag"), ("listed", "listed"), (".kube/config", "default"))
    )
    env = {"HOME": str(tmp_path)}

    def server(path: Path | None, context: str | None = None) -> str:
        return load_config(path, context, env, service_account=service_account).server

    assert server(None) == "https://default"
    env |= IN_CLUSTER
    assert server(None) == "https://10.96.0.1:443"
    assert server(None, "lab") == "https://default", "a context asks for a kubeconfig"
    env["KUBECONFIG"] = f"{tmp_path / 'absent'}::{listed}:{listed}:{default}"
    assert server(None) == "https://listed"
    assert server(flag) == "https://flag"


def test_nothing_found_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no configuration found: .*/\.kube/config") as caught:
        load_config(None, None, {"HOME": str(tmp_path)}, service_account=tmp_path)

    assert "--kubeconfig" in caught.value.hint


def test_a_pod_without_a_token_is_told_so(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), **IN_CLUSTER}

    with pytest.raises(ConfigError, match=r"this pod has no .*/token") as caught:
        load_config(None, None, env, service_account=tmp_path)

    assert "automountServiceAccountToken" in caught.value.hint


def test_a_kubeconfig_list_without_any_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"KUBECONFIG=.*absent: no such file"):
        load_config(None, None, {"KUBECONFIG": str(tmp_path / "absent")})


def test_an_explicit_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent: No such file"):
        load(tmp_path / "absent")


def test_relative_paths_start_at_the_file_s_folder(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("CA")
    (tmp_path / "c.pem").write_text("CERT")
    (tmp_path / "k.pem").write_text("KEY")
    (tmp_path / "token").write_text("t")

    config = load(
        kubeconfig(
            tmp_path / "config",
            cluster={"certificate-authority": "ca.pem", "tls-server-name": "kubernetes"},
            user={"client-certificate": "c.pem", "client-key": "k.pem", "tokenFile": "token"},
        )
    )

    certificate = credential(config).certificate
    assert certificate is not None
    assert (config.tls.ca, config.tls.server_name) == (b"CA", "kubernetes")
    assert (certificate.certificate, certificate.key) == (b"CERT", b"KEY")
    assert credential(config).authorization == "Bearer t"


def test_data_wins_over_files_and_may_be_folded(tmp_path: Path) -> None:
    encoded = base64.b64encode(b"from data, long enough for two lines of base64 text").decode()
    folded = f"{encoded[:40]}\n{encoded[40:]}\n"

    config = load(
        kubeconfig(
            tmp_path / "config",
            cluster={"certificate-authority": "absent", "certificate-authority-data": folded},
        )
    )

    assert config.tls.ca == b"from data, long enough for two lines of base64 text"


def test_a_plain_http_server_gets_no_credentials(tmp_path: Path) -> None:
    """Source: client-go v0.36 tools/clientcmd/client_config.go, ClientConfig."""
    path = kubeconfig(tmp_path / "c", cluster={"server": "127.0.0.1:8080/"}, user={"token": "t"})

    assert load(path).server == "http://127.0.0.1:8080"
    assert credential(load(path)) == Credential()


def test_a_user_name_and_password_become_basic_authentication(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", user={"username": "me", "password": "pa55"})

    assert credential(load(path)).authorization == "Basic bWU6cGE1NQ=="


def test_proxy_url_wins_over_the_environment(tmp_path: Path) -> None:
    with_url = kubeconfig(tmp_path / "1", cluster={"proxy-url": "http://me:pa55@file:3128"})
    without = kubeconfig(tmp_path / "2")
    env = {"HTTPS_PROXY": "http://env:3128", "NO_PROXY": "api"}

    assert load(with_url, **env).proxy == "http://me:pa55@file:3128"
    assert "pa55" not in repr(load(with_url))
    assert load(without, HTTPS_PROXY="http://env:3128").proxy == "http://env:3128"
    assert load(without, **env).proxy == ""


def test_a_token_beats_an_exec_plugin(tmp_path: Path) -> None:
    """Source: client-go v0.36 plugin/pkg/client/auth/exec/exec.go, UpdateTransportConfig."""
    path = kubeconfig(tmp_path / "config", user={"token": "t", "exec": EXEC})

    assert credential(load(path)).authorization == "Bearer t"


def test_v1beta1_plugins_need_no_interactive_mode(tmp_path: Path) -> None:
    plugin = {**EXEC, "apiVersion": "client.authentication.k8s.io/v1beta1"}

    config = load(kubeconfig(tmp_path / "config", user={"exec": plugin}))

    assert isinstance(config.credentials, ExecPlugin)


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"server": ""}, {}, "cluster 'lab': server is no http or https URL"),
        ({"server": "ftp://x"}, {}, "server is no http"),
        ({"server": "https://x:port"}, {}, "server is no http"),
        ({"server": "https://[::1"}, {}, "server is no http"),
        ({"server": "https://me:s3cret@x"}, {}, "server holds a user name"),
        ({"certificate-authority": "no"}, {}, "certificate-authority .*/no: No such file"),
        ({"certificate-authority-data": "!"}, {}, "certificate-authority-data is no base64"),
        (
            {"certificate-authority-data": "QQ==", "insecure-skip-tls-verify": True},
            {},
            "insecure-skip-tls-verify and certificate-authority exclude",
        ),
        ({"proxy-url": "socks5://p"}, {}, "proxy-url: this socks5 URL"),
        ({}, {"auth-provider": {"name": "oidc"}}, "user 'lab': auth-provider is not supported"),
        ({}, {"as": "admin"}, "user 'lab': as is not supported"),
        ({}, {"as-groups": ["a"]}, "as-groups is not supported"),
        ({}, {"token": "t", "username": "u"}, "token and username exclude each other"),
        ({}, {"client-certificate-data": "QQ=="}, "client-key is not"),
        ({}, {"client-key-data": "s3cret!"}, "client-key-data is no base64"),
        ({}, {"exec": {**EXEC, "command": ""}}, "exec.command is missing"),
        ({}, {"exec": {**EXEC, "apiVersion": "x/v1alpha1"}}, "exec.apiVersion 'x/v1alpha1'"),
        ({}, {"exec": EXEC}, "exec.interactiveMode '' is not supported"),
    ],
)
def test_every_refusal_names_file_and_field_and_has_a_hint(
    tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str
) -> None:
    path = kubeconfig(tmp_path / "config", cluster=cluster, user=user)

    with pytest.raises(ConfigError, match=message) as caught:
        load(path)

    assert str(caught.value).startswith(f"{path}: ")
    assert caught.value.hint
    assert "s3cret" not in str(caught.value)


def test_another_folder_can_stand_for_that_of_a_pod(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("t0ken")
    (tmp_path / "ca.crt").write_text("PEM")
    env = {
        "KUBERNETES_SERVICE_HOST": "10.96.0.1",
        "KUBERNETES_SERVICE_PORT": "443",
        "PILOTFISH_SERVICE_ACCOUNT": str(tmp_path),
    }
    assert load_config(None, None, env).source == "in-cluster"
