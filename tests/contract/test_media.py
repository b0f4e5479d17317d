"""Which forms are taken and given: 406, 415, metadata alone, discovery and health."""

from __future__ import annotations

import pytest

from contract.objects import config_map, event, pod
from contract.server import MERGE_PATCH, Server
from controlplane import wait_until

METADATA = "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
COLLECTION = "/api/v1/namespaces/default/configmaps"


@pytest.mark.parametrize("accept", ["text/plain", "text/html", "application/xml, text/plain"])
def test_form_that_is_not_made_is_not_acceptable(api: Server, accept: str) -> None:
    told = api.send("GET", COLLECTION, accept=accept).told
    assert told.startswith("406 NotAcceptable: 406: Not Acceptable\n\nAvailable representations: ")


def test_unknown_view_is_not_acceptable(api: Server) -> None:
    accept = "application/json;as=Foo;v=v1;g=meta.k8s.io"
    told = api.send("GET", COLLECTION, accept=accept).told
    assert told == (
        "406 NotAcceptable: only the following media types are accepted: application/json, "
        "application/yaml, application/vnd.kubernetes.protobuf"
    )


@pytest.mark.parametrize("accept", ["*/*", "text/html, application/json;q=0.5"])
def test_json_is_given_where_it_is_accepted(api: Server, accept: str) -> None:
    assert api.send("GET", COLLECTION, accept=accept).ok()["kind"] == "ConfigMapList"


def test_body_of_another_type_is_refused(api: Server) -> None:
    told = api.send("POST", COLLECTION, b"x", kind="text/plain").told
    assert told == (
        "415 UnsupportedMediaType: the body of the request was in an unknown format - accepted "
        "media types include: application/json, application/yaml, "
        "application/vnd.kubernetes.protobuf"
    )


def test_patch_type_may_have_parameters(api: Server, core: str) -> None:
    api.post(f"{core}/configmaps", config_map("a")).ok()
    kind = f"{MERGE_PATCH}; charset=utf-8"
    assert api.patch(f"{core}/configmaps/a", {}, kind).code == 200


def test_server_side_apply_creates(api: Server, core: str) -> None:
    kind = "application/apply-patch+yaml"
    body = config_map("applied")
    path = f"{core}/configmaps/applied"
    assert api.patch(path, body, kind, fieldManager="contract").code == 201


def test_metadata_is_given_alone(api: Server, core: str) -> None:
    api.post(f"{core}/configmaps", config_map("a", data={"k": "v"})).ok()
    one = api.send("GET", f"{core}/configmaps/a", accept=METADATA).ok()
    assert (one["kind"], one["apiVersion"]) == ("PartialObjectMetadata", "meta.k8s.io/v1")
    assert "data" not in one
    several = api.send("GET", f"{core}/configmaps", accept=METADATA_LIST).ok()
    assert several["kind"] == "PartialObjectMetadataList"
    assert {item["kind"] for item in several["items"]} == {"PartialObjectMetadata"}


def test_log_of_a_pod_without_a_node_is_empty(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a")).ok()
    answer = api.get(f"{core}/pods/a/log")
    assert (answer.code, answer.raw) == (204, b"")
    told = api.get(f"{core}/pods/a/log", container="absent").told
    assert told == "400 BadRequest: container absent is not valid for pod a"


def test_log_of_a_pod_on_a_node_that_is_not_there_is_not_found(
    api: Server, core: str, absent_node: str
) -> None:
    api.post(f"{core}/pods", pod("a", nodeName=absent_node)).ok()
    told = api.get(f"{core}/pods/a/log").told
    assert told == f'404 NotFound: pods "{absent_node}" not found'


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz"])
def test_health_is_told_in_one_word(api: Server, path: str) -> None:
    healthy = (200, b"ok")  # the real server is not, while etcd does not answer for two seconds
    wait_until(lambda: ((answer := api.get(path)).code, answer.raw) == healthy, path)


def test_version_is_one_that_clients_understand(api: Server) -> None:
    version = api.get("/version").ok()
    assert (version["major"], version["minor"]) == ("1", "36")
    assert version["gitVersion"].startswith("v1.36.3")


def test_groups_are_discovered_at_once(api: Server) -> None:
    accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
    found = api.send("GET", "/apis", accept=accept).ok()
    assert (found["kind"], found["apiVersion"]) == (
        "APIGroupDiscoveryList",
        "apidiscovery.k8s.io/v2",
    )
    groups = {item["metadata"]["name"] for item in found["items"]}
    assert {"apps", "batch", "policy", "storage.k8s.io", "events.k8s.io"} <= groups


@pytest.mark.parametrize("name", ["", "/told"])
def test_table_shows_events_as_their_group_has_them(api: Server, space: str, name: str) -> None:
    path = f"/apis/events.k8s.io/v1/namespaces/{space}/events"
    made = event("told", space)
    api.post(path, made).ok()
    query = "includeObject=Object" + ("" if name else "&fieldSelector=reason%3DTold")
    [row] = api.send("GET", f"{path}{name}?{query}", accept=TABLE).ok()["rows"]
    assert made["regarding"] == row["object"]["regarding"]
    assert row["object"]["reportingController"] == "example.com/contract"
