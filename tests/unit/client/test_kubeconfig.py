from pathlib import Path

import pytest

from kubeconfig_file import kubeconfig
from pilotfish.client.errors import ConfigError
from pilotfish.client.kubeconfig import read_kubeconfig, select_context


def test_the_first_file_that_names_something_wins_all_of_it(tmp_path: Path) -> None:
    """Source: client-go v0.36 tools/clientcmd/loader.go, the rules above Load."""
    first = kubeconfig(tmp_path / "1", cluster={"server": "https://first"}, current="")
    second = kubeconfig(
        tmp_path / "2", cluster={"server": "https://second", "tls-server-name": "second"}
    )
    third = kubeconfig(tmp_path / "3", name="other")

    selected = select_context([first, second, third], None)

    assert selected.source == f"{first}, context 'lab'", "the second file's current-context"
    assert selected.cluster.server == "https://first"
    assert selected.cluster.tls_server_name == "", "entries are not blended"
    assert select_context([first, second, third], "other").user_name == "other"


def test_a_user_may_stand_in_another_file_than_its_context(tmp_path: Path) -> None:
    clusters = tmp_path / "clusters"
    clusters.write_text(
        "clusters: [{name: c, cluster: {server: https://c}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: lab, namespace: team}}]\n"
        "current-context: x\n"
    )
    users = kubeconfig(tmp_path / "users", user={"token": "t"})

    selected = select_context([clusters, users], None)

    assert (selected.cluster_file, selected.user_file) == (clusters, users)
    assert selected.namespace == "team"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("clusters: 5", r"Expected `array \| null`, got `int` - at `\$\.clusters`"),
        (
            "users: [{name: a, user: {token: 12345}}]",
            r"got `int` - at `\$\.users\[0\]\.user\.token`",
        ),
        ("clusters: [{cluster: {}}]", r"missing required field `name` - at `\$\.clusters\[0\]`"),
        ("- a list", "Expected `object`, got `array`"),
        ("a: [", "line 2: it is no YAML: "),
        ("\ta: b", "line 1: it is no YAML: "),
    ],
)
def test_a_malformed_file_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config"
    path.write_text(text + "\n")

    with pytest.raises(ConfigError, match=message) as caught:
        read_kubeconfig(path)

    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_neither_messages_nor_reprs_hold_the_file_s_secrets(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("users: [{name: a, user: {token: 's3cret', password: s3cret}}]")
    assert "s3cret" not in repr(read_kubeconfig(path))
    path.write_text("users: [{name: a, user: {token: 's3cret\n  ] {}}]")

    with pytest.raises(ConfigError) as caught:
        read_kubeconfig(path)

    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_null_sections_and_unknown_fields_are_no_errors(tmp_path: Path) -> None:
    path = tmp_path / "config"
    path.write_text("clusters: null\npreferences: {}\ncurrent-context: ''\nnew-field: [1]\n")

    assert read_kubeconfig(path).clusters is None


def test_no_current_context_lists_the_contexts_there_are(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", current="")

    with pytest.raises(ConfigError, match="current-context is not set") as caught:
        select_context([path], None)

    assert caught.value.hint == "choose a context; there are: lab"


def test_an_unknown_context_lists_the_contexts_there_are(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config")

    with pytest.raises(ConfigError, match="contexts has no entry named 'lba'") as caught:
        select_context([path], "lba")

    assert caught.value.hint == "choose one; there are: lab"


@pytest.mark.parametrize("part", ["clusters", "users"])
def test_a_context_that_names_what_is_not_there(tmp_path: Path, part: str) -> None:
    path = kubeconfig(tmp_path / "config")
    path.write_text(path.read_text().replace(f"{part}:", f"other-{part}:"))

    with pytest.raises(ConfigError, match=f"context 'lab': {part} has no entry named 'lab'"):
        select_context([path], None)
