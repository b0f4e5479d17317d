import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from pilotfish.client import load_config
from pilotfish.runtime.embedded_cluster.kubeconfig import (
    Access,
    forget_server,
    merge_kubeconfig,
    remove_kubeconfig,
    server_of,
    user_path,
    write_kubeconfig,
)
from pilotfish.runtime.trouble import StartError

ACCESS = Access("https://127.0.0.1:6443", b"-----BEGIN CERTIFICATE-----\n", "bearer")
MINE: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Config",
    "clusters": [{"name": "work", "cluster": {"server": "https://work"}}],
    "users": [{"name": "me", "user": {}}],
    "contexts": [{"name": "work", "context": {"cluster": "work", "user": "me"}}],
    "current-context": "work",
}


def test_file_is_the_owners_alone_and_leads_to_the_server(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "config"
    write_kubeconfig(path, ACCESS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = load_config(path, None, {})
    assert config.server == "https://127.0.0.1:6443"
    assert config.tls.ca == ACCESS.authority


def test_file_of_an_earlier_run_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "config"
    write_kubeconfig(path, Access("https://127.0.0.1:1", b"", "old"))
    write_kubeconfig(path, ACCESS)
    assert load_config(path, None, {}).server == ACCESS.server


def test_file_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(MINE))
    with pytest.raises(StartError, match="other contexts"):
        write_kubeconfig(path, ACCESS)
    assert yaml.safe_load(path.read_text()) == MINE


@pytest.mark.parametrize(
    "content", ["a: 1\n", "users: [{name: me, user: {token: secret}}]\n", "kind: Pod\n"]
)
def test_file_that_would_be_lost_is_not_overwritten(tmp_path: Path, content: str) -> None:
    path = tmp_path / "notes.yaml"
    path.write_text(content)
    with pytest.raises(StartError):
        write_kubeconfig(path, ACCESS)
    assert path.read_text() == content


def test_link_to_a_kubeconfig_stays_a_link(tmp_path: Path) -> None:
    path, target = tmp_path / "config", tmp_path / "dotfiles"
    target.write_text(yaml.safe_dump(MINE))
    path.symlink_to(target)
    merge_kubeconfig(path, ACCESS)
    assert path.is_symlink()
    assert server_of(target) == ACCESS.server


def test_kubeconfig_goes_also_from_where_a_link_leads(tmp_path: Path) -> None:
    path, target = tmp_path / "config", tmp_path / "secret"
    path.symlink_to(target)
    write_kubeconfig(path, ACCESS)
    remove_kubeconfig(path, ACCESS.server)
    assert not target.exists()


@pytest.mark.parametrize("content", ["text", "[]", "contexts: 5", "contexts: [{}]", "a: ["])
def test_file_that_is_no_kubeconfig_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "config"
    path.write_text(content)
    with pytest.raises(StartError):
        merge_kubeconfig(path, ACCESS)
    assert path.read_text() == content


def test_entries_are_merged_and_taken_out_again(tmp_path: Path) -> None:
    path = tmp_path / "config"
    other = {"name": "first", "context": {"cluster": "work", "user": "me"}}
    mine = MINE | {"contexts": [other, *MINE["contexts"]]}
    path.write_text(yaml.safe_dump(mine))
    assert merge_kubeconfig(path, ACCESS) == "work"
    merge_kubeconfig(path, ACCESS)
    merged = yaml.safe_load(path.read_text())
    assert [entry["name"] for entry in merged["users"]] == ["me", "pilotfish"]
    assert merged["current-context"] == "pilotfish"
    forget_server(path, ACCESS.server, "work")
    assert yaml.safe_load(path.read_text()) == mine | {"preferences": {}}


def test_cluster_of_somebody_else_with_our_name_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text(yaml.safe_dump(MINE | {"clusters": [{"name": "pilotfish", "cluster": {}}]}))
    before = path.read_text()
    with pytest.raises(StartError, match="entry 'pilotfish' that is no cluster of ours"):
        merge_kubeconfig(path, ACCESS)
    assert path.read_text() == before


def test_entries_of_a_later_run_stay(tmp_path: Path) -> None:
    path = tmp_path / "config"
    merge_kubeconfig(path, ACCESS)
    before = path.read_text()
    forget_server(path, "https://127.0.0.1:1", "")
    assert path.read_text() == before


def test_file_goes_with_its_server_and_stays_for_a_later_one(tmp_path: Path) -> None:
    path = tmp_path / "config"
    write_kubeconfig(path, ACCESS)
    remove_kubeconfig(path, "https://127.0.0.1:1")
    assert path.exists()
    remove_kubeconfig(path, ACCESS.server)
    assert not path.exists()


def test_users_own_file_is_the_one_that_kubectl_writes(tmp_path: Path) -> None:
    there = tmp_path / "config"
    there.touch()
    assert user_path({"KUBECONFIG": f":/a:{there}:/b", "HOME": "/h"}) == there
    assert user_path({"KUBECONFIG": "/a:/b", "HOME": "/h"}) == Path("/b")
    assert user_path({"HOME": "/h"}) == Path("/h/.kube/config")


def test_access_does_not_show_its_secret() -> None:
    assert "bearer" not in repr(ACCESS)


def test_pipe_is_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(StartError, match="pipe is no regular file"):
        write_kubeconfig(pipe, ACCESS)
