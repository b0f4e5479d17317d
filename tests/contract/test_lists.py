"""Lists: selectors, pages at one snapshot, versions, Tables."""

from __future__ import annotations

import pytest

from contract.objects import config_map, container, node, pod
from contract.server import Server
from controlplane import wait_until

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def names(answer: dict[str, list[dict[str, dict[str, str]]]]) -> list[str]:
    """Give the names of a list's items."""
    return [item["metadata"]["name"] for item in answer["items"]]


@pytest.fixture
def maps(api: Server, core: str) -> str:
    """Path of a collection of labelled objects: a, b, c, d."""
    path = f"{core}/configmaps"
    wanted = {"a": {"x": "1"}, "b": {"x": "2", "y": ""}, "c": {"y": "1"}, "d": {}}
    for name, labels in wanted.items():
        labelled = config_map(name, metadata={"labels": labels | {"of": "test"}})
        api.post(path, labelled).ok()
    return path


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("x", "ab"),
        ("!x", "cd"),
        ("x=1", "a"),
        ("x==1", "a"),
        ("x!=1", "bcd"),
        ("x in (1,2)", "ab"),
        ("x notin (1)", "bcd"),
        ("x in (1), y", ""),
        ("y=", "b"),
        ("x,y", "b"),
        ("x>1", "b"),
        ("x<2", "a"),
    ],
)
def test_label_selector_selects(api: Server, maps: str, selector: str, selected: str) -> None:
    wanted = f"{selector},of=test"
    assert "".join(names(api.get(maps, labelSelector=wanted).ok())) == selected


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("metadata.name=a", "a"),
        ("metadata.name!=a,metadata.name!=kube-root-ca.crt", "bcd"),
        ("metadata.namespace=other", ""),
        ("metadata.name==b,metadata.name!=a", "b"),
    ],
)
def test_field_selector_selects(api: Server, maps: str, selector: str, selected: str) -> None:
    found = api.get(maps, labelSelector="of=test", fieldSelector=selector).ok()
    assert "".join(names(found)) == selected


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("spec.nodeName=", ["free", "named"]),
        ("spec.nodeName!=", ["bound"]),
        ("spec.nodeName=NODE", ["bound"]),
        ("status.phase=Pending,spec.restartPolicy=Never", ["named"]),
        ("spec.schedulerName=nobody", ["bound", "free"]),
        ("spec.schedulerName=somebody", ["named"]),
        ("status.phase!=Pending", []),
        ("spec.serviceAccountName=default,spec.hostNetwork=false", ["bound", "free", "named"]),
    ],
)
def test_pods_are_selected_by_the_fields_that_schedulers_use(
    api: Server, core: str, absent_node: str, selector: str, selected: list[str]
) -> None:
    api.post(f"{core}/pods", pod("free")).ok()
    api.post(f"{core}/pods", pod("bound", nodeName=absent_node)).ok()
    named = pod("named", schedulerName="somebody", restartPolicy="Never")
    api.post(f"{core}/pods", named).ok()
    fields = selector.replace("NODE", absent_node)
    assert names(api.get(f"{core}/pods", fieldSelector=fields).ok()) == selected


def test_nodes_are_selected_by_unschedulable(api: Server) -> None:
    made = {"contract-on": False, "contract-off": True}
    for name, off in made.items():
        api.post("/api/v1/nodes", node(name, unschedulable=off)).ok()
    found = api.get("/api/v1/nodes", fieldSelector="spec.unschedulable=true").ok()
    for name in made:
        api.delete(f"/api/v1/nodes/{name}")
    assert names(found) == ["contract-off"]


def test_list_over_all_namespaces_is_in_their_order(api: Server, maps: str) -> None:
    api.post("/api/v1/namespaces/default/configmaps", config_map("zz")).ok()
    items = api.get("/api/v1/configmaps").ok()["items"]
    api.delete("/api/v1/namespaces/default/configmaps/zz")
    keys = [(item["metadata"]["namespace"], item["metadata"]["name"]) for item in items]
    assert keys == sorted(keys)
    assert {"zz", "a"} <= {name for _, name in keys}
    assert maps


def test_list_says_what_it_is_and_its_items_do_not(api: Server, maps: str) -> None:
    found = api.get(maps).ok()
    assert (found["kind"], found["apiVersion"]) == ("ConfigMapList", "v1")
    assert int(found["metadata"]["resourceVersion"]) > 0
    assert not any("kind" in item or "apiVersion" in item for item in found["items"])


def test_empty_list_has_items(api: Server, core: str) -> None:
    assert api.get(f"{core}/pods").ok()["items"] == []


def test_pages_are_of_one_snapshot(api: Server, maps: str) -> None:
    first = api.get(maps, limit=2, labelSelector="of").ok()
    assert names(first) == ["a", "b"]
    assert "remainingItemCount" not in first["metadata"], "it is unknown with a selector"
    api.delete(f"{maps}/c").ok()
    api.post(maps, config_map("e", metadata={"labels": {"of": "test"}})).ok()
    token = first["metadata"]["continue"]
    second = api.get(maps, limit=2, labelSelector="of", **{"continue": token}).ok()
    assert names(second) == ["c", "d"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_page_counts_what_remains(api: Server, maps: str) -> None:
    metadata = api.get(maps, limit=1).ok()["metadata"]
    assert metadata["remainingItemCount"] == 4, "kube-root-ca.crt is there, too"


def test_continue_token_may_not_come_with_a_version(api: Server, maps: str) -> None:
    token = api.get(maps, limit=1).ok()["metadata"]["continue"]
    query = {"continue": token, "resourceVersion": "5"}
    assert api.get(maps, **query).told == (
        "400 BadRequest: specifying resource version is not allowed when using continue"
    )


def test_list_of_an_exact_version_shows_the_past(api: Server, maps: str) -> None:
    version = api.get(maps).ok()["metadata"]["resourceVersion"]
    api.delete(f"{maps}/a").ok()
    query = {"resourceVersion": version, "resourceVersionMatch": "Exact", "labelSelector": "of"}
    past = api.get(maps, **query).ok()
    assert names(past) == ["a", "b", "c", "d"]
    assert past["metadata"]["resourceVersion"] == version


def test_list_without_a_version_is_of_the_newest(api: Server, maps: str) -> None:
    assert names(api.get(maps, labelSelector="of").ok()) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("version", ["0", "1"])
def test_list_of_any_version_is_soon_of_the_newest(api: Server, maps: str, version: str) -> None:
    """The real server answers from its watch cache, which follows etcd."""

    def newest() -> bool:
        found = api.get(maps, labelSelector="of", resourceVersion=version).ok()
        return names(found) == ["a", "b", "c", "d"]

    wait_until(newest, "the newest objects")


def test_list_that_is_not_older_than_a_version_shows_its_objects(api: Server, maps: str) -> None:
    version = api.get(f"{maps}/d").ok()["metadata"]["resourceVersion"]
    query = {"resourceVersion": version, "resourceVersionMatch": "NotOlderThan"}
    assert names(api.get(maps, labelSelector="of", **query).ok()) == ["a", "b", "c", "d"]


def test_version_of_the_future_times_out(api: Server, core: str) -> None:
    answer = api.get(f"{core}/pods", resourceVersion=10**11, timeoutSeconds=1)
    assert answer.told.startswith("504 Timeout: Timeout: Too large resource version: 100000000000")
    assert answer.causes == [("ResourceVersionTooLarge", "")]


def test_pods_are_shown_as_a_table(api: Server, core: str) -> None:
    api.post(f"{core}/pods", pod("a", containers=[container(), container("b")])).ok()
    table = api.send("GET", f"{core}/pods", accept=TABLE).ok()
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    shown = [column["name"] for column in table["columnDefinitions"] if column["priority"] == 0]
    assert shown == ["Name", "Ready", "Status", "Restarts", "Age"]
    row = table["rows"][0]
    assert row["cells"][:4] == ["a", "0/2", "Pending", "0"]
    assert row["object"]["kind"] == "PartialObjectMetadata"


TABLES = [
    "/api/v1/pods",
    "/api/v1/nodes",
    "/api/v1/namespaces",
    "/api/v1/events",
    "/api/v1/services",
    "/api/v1/configmaps",
    "/api/v1/secrets",
    "/api/v1/serviceaccounts",
    "/api/v1/replicationcontrollers",
    "/api/v1/persistentvolumes",
    "/api/v1/persistentvolumeclaims",
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/statefulsets",
    "/apis/apps/v1/daemonsets",
    "/apis/batch/v1/jobs",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/apis/storage.k8s.io/v1/csinodes",
    "/apis/storage.k8s.io/v1/csidrivers",
    "/apis/storage.k8s.io/v1/volumeattachments",
    "/apis/storage.k8s.io/v1/csistoragecapacities",
    "/apis/coordination.k8s.io/v1/leases",
    "/apis/scheduling.k8s.io/v1/priorityclasses",
    "/apis/policy/v1/poddisruptionbudgets",
    "/apis/resource.k8s.io/v1/resourceclaims",
    "/apis/resource.k8s.io/v1/resourceclaimtemplates",
    "/apis/resource.k8s.io/v1/resourceslices",
    "/apis/resource.k8s.io/v1/deviceclasses",
    "/apis/node.k8s.io/v1/runtimeclasses",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
]


@pytest.mark.controlplane
@pytest.mark.parametrize("path", TABLES)
def test_columns_of_both_servers_are_the_same(
    embedded_server: Server, real_server: Server, path: str
) -> None:
    ours, real = (
        server.send("GET", path, accept=TABLE).ok()["columnDefinitions"]
        for server in (embedded_server, real_server)
    )
    shape = ("name", "type", "format", "priority")
    assert [[c[key] for key in shape] for c in ours] == [[c[key] for key in shape] for c in real]
