"""What a server has forgotten is answered with 410, and how a client goes on."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from contract.objects import config_map
from contract.server import Server
from controlplane import ControlPlane

CHANGES = 310  # more than the embedded server of these tests remembers


@pytest.fixture
def forget(api: Server, core: str, request: pytest.FixtureRequest) -> Callable[[], None]:
    """Make the server forget all versions up to now."""

    def change_often() -> None:
        for i in range(CHANGES):
            api.patch(f"{core}/configmaps/a", {"data": {"k": str(i)}}).ok()

    def compact() -> None:
        control_plane: ControlPlane = request.getfixturevalue("control_plane")
        control_plane.kill_apiserver()
        control_plane.compact_etcd()
        api.close()
        control_plane.start_apiserver()

    api.post(f"{core}/configmaps", config_map("a")).ok()
    api.post(f"{core}/configmaps", config_map("b")).ok()
    return change_often if api.name == "embedded" else compact


def test_forgotten_versions_are_gone(api: Server, core: str, forget: Callable[[], None]) -> None:
    path = f"{core}/configmaps"
    first = api.get(path, limit=1).ok()["metadata"]
    version, token = first["resourceVersion"], first["continue"]
    forget()
    with api.watch(path, resourceVersion=version) as events:
        found = next(events)
    status = found["object"]
    assert found["type"] == "ERROR"
    assert (status["kind"], status["code"], status["reason"]) == ("Status", 410, "Expired")
    assert status["message"].startswith(f"too old resource version: {version} (")
    exact = api.get(path, resourceVersion=version, resourceVersionMatch="Exact")
    assert exact.told == "410 Expired: The resourceVersion for the provided list is too old."
    page = api.get(path, limit=1, **{"continue": token})
    assert page.told == (
        "410 Expired: The provided continue parameter is too old to display a consistent list "
        "result. You can start a new list without the continue parameter, or use the "
        "continue token in this response to retrieve the remainder of the results. Continuing "
        "with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up "
        "in the list."
    )
    onward = api.get(path, **{"continue": page.body["metadata"]["continue"]}).ok()
    assert [item["metadata"]["name"] for item in onward["items"]] == ["b", "kube-root-ca.crt"]
