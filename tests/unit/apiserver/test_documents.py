import pytest

from api_face import Face

DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@pytest.fixture(scope="module")
def face() -> Face:
    return Face()


def test_core_is_discovered(face: Face) -> None:
    assert face.ask("GET", "/api").json["versions"] == ["v1"]
    resources = {entry["name"]: entry for entry in face.ask("GET", "/api/v1").json["resources"]}
    assert resources["pods"]["shortNames"] == ["po"]
    assert resources["pods/binding"]["verbs"] == ["create"]
    assert resources["pods/eviction"]["group"] == "policy"


def test_groups_are_discovered(face: Face) -> None:
    groups = {group["name"]: group for group in face.ask("GET", "/apis").json["groups"]}
    assert groups["apps"]["preferredVersion"] == {"groupVersion": "apps/v1", "version": "v1"}
    assert face.ask("GET", "/apis/apps/").json["name"] == "apps"


def test_aggregated_discovery_says_all_at_once_and_can_be_kept(face: Face) -> None:
    answer = face.ask("GET", "/apis", Accept=DISCOVERY)
    assert answer.headers["Content-Type"].endswith("as=APIGroupDiscoveryList")
    apps = next(item for item in answer.json["items"] if item["metadata"]["name"] == "apps")
    entries = {entry["resource"]: entry for entry in apps["versions"][0]["resources"]}
    assert entries["deployments"]["scope"] == "Namespaced"
    assert [part["subresource"] for part in entries["deployments"]["subresources"]] == [
        "scale",
        "status",
    ]
    again = face.ask("GET", "/apis", Accept=DISCOVERY, If_None_Match=answer.headers["ETag"])
    assert (again.status, again.body) == (304, b"")


def test_every_listed_path_answers(face: Face) -> None:
    paths = face.ask("GET", "/").json["paths"]
    answers = {path: face.ask("GET", path).status for path in paths}
    assert set(answers.values()) == {200}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/healthz"])
def test_anyone_may_ask_whether_the_server_is_well(face: Face, path: str) -> None:
    assert face.ask("GET", path, bearer="").body == b"ok"
    assert face.ask("GET", f"{path}/ping").body == b"ok"


def test_verbose_health_names_what_was_looked_at(face: Face) -> None:
    assert face.ask("GET", "/readyz?verbose").body.endswith(b"readyz check passed\n")


def test_openapi_documents_are_those_of_the_index(face: Face) -> None:
    paths = face.ask("GET", "/openapi/v3").json["paths"]
    document = face.ask("GET", paths["apis/apps/v1"]["serverRelativeURL"])
    assert document.json["openapi"].startswith("3.")
    for missing in ("/openapi/v3/apis/widgets/v1", "/openapi/v2"):
        assert face.ask("GET", missing, Accept="*/*").status == 404


def test_unknown_paths_answer_as_upstream_does(face: Face) -> None:
    nowhere = face.ask("GET", "/nowhere")
    assert (nowhere.status, nowhere.body) == (404, b"404 page not found\n")
    assert face.ask("GET", "/apis/apps/v9").json["reason"] == "NotFound"


def test_index_is_for_those_who_may_see_it(face: Face) -> None:
    denied = face.ask("GET", "/", bearer="")
    assert denied.json["message"] == ('forbidden: User "system:anonymous" cannot get path "/"')
