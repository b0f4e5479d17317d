import json

from pilotfish.cluster.resources import RESOURCES
from pilotfish.cluster.schema import Schema
from pilotfish.cluster.schema.openapi import GVK, PATCH_TYPES, OpenApi

TABLE = Schema.load().table
DEPLOYMENT = {"group": "apps", "kind": "Deployment", "version": "v1"}


def test_index_names_every_document_by_its_hash() -> None:
    openapi = OpenApi(TABLE, RESOURCES)
    paths = json.loads(openapi.index())["paths"]
    assert {"api/v1", "apis/apps/v1", "apis/storage.k8s.io/v1"} <= paths.keys()
    for name, entry in paths.items():
        assert entry["serverRelativeURL"] == f"/openapi/v3/{name}?hash={openapi.hash(name)}"
        assert openapi.document(name) is not None


def test_same_table_gives_the_same_hashes() -> None:
    assert OpenApi(TABLE, RESOURCES).index() == OpenApi(TABLE, RESOURCES).index()


def test_document_that_nobody_serves_is_none() -> None:
    assert OpenApi(TABLE, RESOURCES).document("apis/foo/v1") is None


def test_references_all_lead_somewhere() -> None:
    openapi = OpenApi(TABLE, RESOURCES)
    for name in json.loads(openapi.index())["paths"]:
        raw = (openapi.document(name) or b"").decode()
        schemas = json.loads(raw)["components"]["schemas"]
        named = {part.partition('"')[0] for part in raw.split("#/components/schemas/")[1:]}
        assert named <= schemas.keys(), name


def test_kubectl_finds_the_kind_the_patch_types_and_field_validation() -> None:
    document = json.loads(OpenApi(TABLE, RESOURCES).document("apis/apps/v1") or b"")
    path = document["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"]
    assert path["get"][GVK] == DEPLOYMENT
    assert set(path["patch"]["requestBody"]["content"]) == set(PATCH_TYPES)
    assert "fieldValidation" in {query["name"] for query in path["patch"]["parameters"]}
    kinds = [schema.get(GVK) for schema in document["components"]["schemas"].values()]
    assert [DEPLOYMENT] in kinds


def test_operations_are_those_that_a_resource_has() -> None:
    document = json.loads(OpenApi(TABLE, RESOURCES).document("api/v1") or b"")
    assert "post" not in document["paths"]["/api/v1/pods"]
    assert set(document["paths"]["/api/v1/namespaces/{namespace}/bindings"]) == {"post"}
    binding = document["paths"]["/api/v1/namespaces/{namespace}/pods/{name}/binding"]
    assert binding["post"][GVK]["kind"] == "Binding"
