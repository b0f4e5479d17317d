import asyncio
import json
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from kubeconfig_file import kubeconfig
from pilotfish.client.credentials import CredentialSource
from pilotfish.client.errors import CredentialsError
from pilotfish.client.exec_plugin import ExecPlugin, ExecSettings
from pilotfish.client.load_config import load_config

V1 = "client.authentication.k8s.io/v1"
COUNTS_ITS_RUNS = f"""#!/bin/sh
echo run >> "$0.runs"
cat > "$0.stdin"
echo "$KUBERNETES_EXEC_INFO" > "$0.info"
n=$(wc -l < "$0.runs" | tr -d ' ')
echo '{{"apiVersion":"{V1}","kind":"ExecCredential",'\
'"status":{{"token":"'"$PREFIX$1-$n"'"'"$EXTRA"'}}}}'
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A plugin whose token tells its PREFIX, its argument and how often it ran."""
    return write_script(tmp_path / "login", COUNTS_ITS_RUNS)


def write_script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def settings(script: Path, **changes: Any) -> ExecSettings:
    env = {"PATH": "/usr/bin:/bin", **changes.pop("env", {})}
    fields = {"where": "config: user 'lab'", "api_version": V1, "command": str(script)}
    return ExecSettings(**{**fields, **changes}, env=env)


def tokens(source: CredentialSource, times: int = 1) -> list[str]:
    async def ask() -> list[str]:
        return [(await source.current()).authorization for _ in range(times)]

    return asyncio.run(ask())


def test_a_kubeconfig_s_plugin_gets_its_arguments_environment_and_cluster(
    tmp_path: Path, script: Path
) -> None:
    extension = {"name": "client.authentication.k8s.io/exec", "extension": {"audience": "lab"}}
    plugin = {
        "apiVersion": V1,
        "command": "./login",
        "args": ["arg"],
        "env": [{"name": "PREFIX", "value": "pre-"}],
        "provideClusterInfo": True,
        "interactiveMode": "Never",
    }
    path = kubeconfig(
        tmp_path / "config",
        cluster={"certificate-authority-data": "Q0E=", "extensions": [extension]},
        user={"exec": plugin},
    )

    config = load_config(path, None, {"PATH": "/usr/bin:/bin"})

    assert tokens(config.credentials, times=3) == ["Bearer pre-arg-1"] * 3, "one run serves all"
    assert json.loads(Path(f"{script}.info").read_text()) == {
        "apiVersion": V1,
        "kind": "ExecCredential",
        "spec": {
            "interactive": False,
            "cluster": {
                "server": "https://api:6443",
                "certificate-authority-data": "Q0E=",
                "config": {"audience": "lab"},
            },
        },
    }


def test_a_credential_is_renewed_before_it_expires(script: Path) -> None:
    now = time.mktime(time.strptime("2030-01-01", "%Y-%m-%d"))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 60))
    extra = {"EXTRA": f',"expirationTimestamp":"{stamp}"'}
    source = ExecPlugin(settings(script, env=extra), clock=lambda: now)

    assert tokens(source, times=2) == ["Bearer -1"] * 2
    now += 49
    assert tokens(source) == ["Bearer -1"]
    now += 1
    assert tokens(source) == ["Bearer -2"]


def test_a_refused_credential_is_renewed_by_one_run_for_all_who_wait(script: Path) -> None:
    source = ExecPlugin(settings(script))

    async def ask() -> set[str]:
        first = await source.current()
        renewed = await asyncio.gather(*(source.renew(first) for _ in range(5)))
        return {credential.authorization for credential in renewed}

    assert asyncio.run(ask()) == {"Bearer -2"}


def test_a_certificate_that_did_not_rotate_stays_the_same_object(script: Path) -> None:
    extra = {"EXTRA": ',"clientCertificateData":"CERT","clientKeyData":"KEY"'}
    source = ExecPlugin(settings(script, env=extra))

    async def ask() -> bool:
        first = await source.current()
        second = await source.renew(first)
        assert first.certificate is not None
        return second is not first and second.certificate is first.certificate

    assert asyncio.run(ask())


def test_a_missing_plugin_shows_the_install_hint(tmp_path: Path) -> None:
    source = ExecPlugin(settings(tmp_path / "absent", install_hint="apt install login"))

    with pytest.raises(CredentialsError, match=r"exec: '.*absent' cannot be run") as caught:
        tokens(source)

    assert caught.value.hint == "apt install login"


def test_a_plugin_that_must_ask_needs_a_terminal(script: Path) -> None:
    source = ExecPlugin(settings(script, interactive_mode="Always"), is_terminal=lambda: False)

    with pytest.raises(CredentialsError, match="interactiveMode is Always"):
        tokens(source)


def printing(version: str, status: dict[str, str]) -> str:
    answer = {"apiVersion": version, "kind": "ExecCredential", "status": status}
    return f"echo '{json.dumps(answer)}'"


@pytest.mark.parametrize(
    ("output", "message"),
    [
        ("exit 3", "failed with exit code 3"),
        ("echo s3cret", "printed no ExecCredential"),
        (printing(V1, {}), "neither status.token"),
        (printing(V1.replace("v1", "v1beta1"), {"token": "s3cret"}), "did not answer in it"),
        (printing(V1, {"clientCertificateData": "s3cret"}), "or a key, but not both"),
    ],
)
def test_what_a_plugin_gets_wrong_is_said_without_its_secrets(
    tmp_path: Path, output: str, message: str
) -> None:
    source = ExecPlugin(settings(write_script(tmp_path / "login", f"#!/bin/sh\n{output}\n")))

    with pytest.raises(CredentialsError, match=message) as caught:
        tokens(source)

    assert str(caught.value).startswith("config: user 'lab': exec: ")
    assert "s3cret" not in str(caught.value)
    assert caught.value.hint
