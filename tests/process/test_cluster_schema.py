import gzip
import re
import shutil
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from controlplane import ApiError, ControlPlane
from derive_schema import TABLE, derive, encode
from patch_strategies import DEPLOYMENT, DEPLOYMENT_PATCHES
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.patches import apply_patch
from pilotfish.cluster.requests import JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH
from pilotfish.cluster.resources import RESOURCES
from pilotfish.cluster.schema import Gvk, Schema
from pilotfish.cluster.schema.openapi import META, OpenApi
from schema_examples import EXAMPLES, pod

pytestmark = pytest.mark.controlplane

Json = dict[str, Any]

SCHEMA = Schema.load()
SCHEMA_JSON = msgspec.json.Decoder()
DEPLOYMENT_KIND = Gvk("apps/v1", "Deployment")
SERVERS_OWN = {"managedFields", "uid", "resourceVersion", "creationTimestamp", "generation"}
NOT_BY_DEFAULTING = {  # what admission and the strategies of kinds add
    "Pod": r"spec\.(priority|preemptionPolicy|serviceAccount(Name)?|tolerations)|status\..*",
    "DaemonSet": r"metadata\.annotations",
    "Job": r"metadata\.labels(\..*)?|spec\.selector|spec\.template\.metadata\.labels\..*",
    "Service": r"spec\.(clusterIPs?|ipFamil.*|ports\[0\]\.nodePort)",
    "PersistentVolume": r"metadata\.finalizers|status\.lastPhaseTransitionTime",
    "PersistentVolumeClaim": r"metadata\.finalizers",
    "Namespace": r"spec\.finalizers",
    "Node": r"spec\.taints(\[1\])?",
}
MALFORMED = [
    {"spec": "x"},
    {"spec": [1]},
    {"spec": {"containers": "x"}},
    {"spec": {"containers": {"a": 1}}},
    {"spec": {"containers": [None, "x"]}},
    {"spec": {"containers": [{"name": 5}]}},
    {"spec": {"containers": [{"name": "c", "args": [1]}]}},
    {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": "80"}]}]}},
    {"spec": {"containers": [{"name": "c", "readinessProbe": {"httpGet": {"port": True}}}]}},
    {"spec": {"containers": [{"name": "c", "readinessProbe": {"httpGet": {"port": 1.5}}}]}},
    {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": "abc"}}}]}},
    {"spec": {"containers": [{"name": "c", "resources": {"limits": {"cpu": {}}}}]}},
    {"spec": {"volumes": [{"name": "v", "emptyDir": 5}]}},
    {"spec": {"priority": 1.5}},
    {"spec": {"priority": 1 << 40}},
    {"spec": {"restartPolicy": 5}},
    {"spec": {"hostNetwork": "true"}},
    {"metadata": {"name": 1}},
    {"metadata": {"labels": {"a": 1}}},
    {"metadata": {"labels": ["a"]}},
    {"metadata": {"creationTimestamp": "foo"}},
    {"metadata": {"creationTimestamp": "2026-01-02 03:04:05Z"}},
    {"metadata": {"creationTimestamp": 5}},
    {"metadata": {"labels": {"a": "b"}, "foo": 1}, "spec": {"foo": {"bar": 1}, "containers": []}},
    {"kind": "Service"},
    {"kind": "Foo"},
    {"kind": 5},
    {"apiVersion": "apps/v1"},
    {"apiVersion": "apps/v1", "kind": "Deployment"},
]
UNFIT_PATCHES = [
    (JSON_PATCH, {"a": 1}),
    (JSON_PATCH, [1]),
    (JSON_PATCH, [{"op": 1}]),
    (JSON_PATCH, [{"op": "foo", "path": "/x"}]),
    (JSON_PATCH, [{"op": "test", "path": "/metadata/name", "value": "x"}]),
    (JSON_PATCH, [{"op": "remove", "path": "/spec/foo"}]),
    (JSON_PATCH, [{"op": "add", "path": "/spec/foo", "value": 1}]),
    (JSON_PATCH, [{"op": "add", "path": "/metadata/labels", "value": 1}]),
    (JSON_PATCH, [{"op": "add", "path": "/metadata/labels", "value": {}, "foo": 1}]),
    (JSON_PATCH, [{"op": "replace", "path": "/kind", "value": "Service"}]),
    (MERGE_PATCH, []),
    (MERGE_PATCH, {"spec": {"foo": 1}}),
    (MERGE_PATCH, {"metadata": {"labels": {"a": 1}}}),
    (MERGE_PATCH, {"apiVersion": "v7"}),
    (STRATEGIC_MERGE_PATCH, 5),
    (STRATEGIC_MERGE_PATCH, {"spec": {"$retainKeys": ["a"], "foo": 1}}),
    (STRATEGIC_MERGE_PATCH, {"spec": {"$setElementOrder": []}}),
    (STRATEGIC_MERGE_PATCH, {"metadata": {"name": 5}}),
    (STRATEGIC_MERGE_PATCH, {"metadata": {"creationTimestamp": 5}}),
    (STRATEGIC_MERGE_PATCH, {"spec": {"paused": 1}}),
    (STRATEGIC_MERGE_PATCH, {"spec": {"strategy": {"rollingUpdate": {"maxSurge": 1.5}}}}),
]


@pytest.fixture(scope="module")
def deployment(control_plane: ControlPlane) -> Iterator[Json]:
    """A deployment to patch, as the API server has it."""
    live = control_plane.api.create(DEPLOYMENT)
    path = "/apis/apps/v1/namespaces/default/deployments/patched"
    yield live
    control_plane.api.patch(path, {"metadata": {"finalizers": None}}, kind="merge")
    control_plane.api.delete(path)


def differences(ours: Any, real: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two objects differ, but for what only the server can know."""
    if isinstance(ours, dict) and isinstance(real, dict):
        for key in sorted((ours.keys() | real.keys()) - SERVERS_OWN):
            here = f"{path}.{key}".removeprefix(".")
            if key in ours and key in real:
                yield from differences(ours[key], real[key], here)
            elif here != "metadata.namespace":
                yield here
    elif isinstance(ours, list) and isinstance(real, list) and len(ours) == len(real):
        for i, (left, right) in enumerate(zip(ours, real, strict=True)):
            yield from differences(left, right, f"{path}[{i}]")
    elif ours != real or type(ours) is not type(real):
        yield path


def users_part(deployment: Json) -> Json:
    """Leave out what the deployment's controller writes meanwhile."""
    metadata = deployment["metadata"]
    annotations = dict(metadata.get("annotations", {}))
    annotations.pop("deployment.kubernetes.io/revision", None)
    return {
        "spec": deployment["spec"],
        "metadata": {"annotations": annotations, "finalizers": metadata.get("finalizers")},
    }


def sentence(message: str) -> str:
    """Drop the value that a refused patch is quoted with, which upstream's merge has changed."""
    return re.sub(r'patch: Invalid value: ".*": ', "patch: ", message, flags=re.DOTALL)


@pytest.mark.skipif(shutil.which("go") is None, reason="some facts come from Go types")
def test_table_is_what_the_real_server_says_about_its_types(control_plane: ControlPlane) -> None:
    derived = gzip.decompress(encode(derive(control_plane.api)))
    assert derived == gzip.decompress(TABLE.read_bytes()), "run hack/derive_schema.py"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["kind"])
def test_object_reads_and_defaults_as_on_the_real_server(
    control_plane: ControlPlane, example: Json
) -> None:
    path = control_plane.api.collection(example)
    real = control_plane.api.request("POST", f"{path}?dryRun=All&fieldValidation=Strict", example)
    kind = Gvk(example["apiVersion"], example["kind"])
    ours, _ = SCHEMA.check(kind, example)
    SCHEMA.apply_defaults(kind, ours)
    allowed = NOT_BY_DEFAULTING.get(example["kind"], "(?!)")
    assert [at for at in differences(ours, real) if not re.fullmatch(allowed, at)] == []


@pytest.mark.parametrize("fields", MALFORMED, ids=str)
def test_malformed_object_is_refused_in_the_words_of_the_real_server(
    control_plane: ControlPlane, fields: Json
) -> None:
    body = pod() | fields
    with pytest.raises(ApiError) as real:
        control_plane.api.request(
            "POST", "/api/v1/namespaces/default/pods?dryRun=All&fieldValidation=Strict", body
        )
    with pytest.raises(StatusError) as ours:
        SCHEMA.check(Gvk("v1", "Pod"), body)
    told = f"{ours.value.code} {ours.value.reason}: {ours.value.message}"
    if fields == {"kind": 5}:  # upstream adds the beginning of the body
        assert str(real.value).startswith(told)
    else:
        assert told == str(real.value)


@pytest.mark.parametrize(("patch_type", "patch"), UNFIT_PATCHES, ids=str)
def test_unfit_patch_is_refused_in_the_words_of_the_real_server(
    control_plane: ControlPlane, deployment: Json, patch_type: str, patch: Any
) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments/patched?dryRun=All&fieldValidation=Strict"
    with pytest.raises(ApiError) as real:
        control_plane.api.request("PATCH", path, patch, kind=patch_type)
    with pytest.raises(StatusError) as ours:
        apply_patch(SCHEMA, DEPLOYMENT_KIND, patch_type, deployment, patch)
    told = f"{ours.value.code} {ours.value.reason}: {ours.value.message}"
    assert sentence(told) == sentence(str(real.value))


@settings(
    max_examples=80,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(patch=DEPLOYMENT_PATCHES, mode=st.sampled_from(["Strict", "Ignore"]))
def test_strategic_merge_patch_comes_to_what_it_does_on_the_real_server(
    control_plane: ControlPlane, deployment: Json, patch: Json, mode: Any
) -> None:
    path = "/apis/apps/v1/namespaces/default/deployments/patched"
    real, refusal = None, ""
    try:
        real = control_plane.api.request(
            "PATCH", f"{path}?dryRun=All&fieldValidation={mode}", patch, kind=STRATEGIC_MERGE_PATCH
        )
    except ApiError as error:
        refusal = sentence(str(error))
    ours, refused = deployment, None
    try:
        ours, _ = apply_patch(
            SCHEMA, DEPLOYMENT_KIND, STRATEGIC_MERGE_PATCH, deployment, patch, mode
        )
    except StatusError as error:
        refused = error
    if refused is not None and refused.code == 400:
        # which of several faults upstream names is chance; for some it answers 500
        assert refusal.startswith(("400", "500"))
    elif refused is not None:
        assert refusal == f"{refused.code} {refused.reason}: {sentence(refused.message)}"
    elif real is None:
        assert "patch: " not in refusal, "only validation, which is not applied here, may refuse"
    else:
        SCHEMA.apply_defaults(DEPLOYMENT_KIND, ours)
        assert list(differences(users_part(ours), users_part(real))) == []


def without_prose(schema: Any) -> Any:
    """Drop descriptions, marks of unions and kinds, and the order of what is required."""
    if isinstance(schema, list):
        return [without_prose(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    dropped = {"x-kubernetes-unions", "x-kubernetes-group-version-kind"}
    return {
        key: sorted(value)
        if key == "required" and isinstance(value, list)
        else without_prose(value)
        for key, value in schema.items()
        if key not in dropped and not (key == "description" and isinstance(value, str))
    }


@pytest.mark.parametrize("name", ["api/v1", "apis/apps/v1", "apis/resource.k8s.io/v1"])
def test_openapi_document_describes_types_as_the_real_one(
    control_plane: ControlPlane, name: str
) -> None:
    real = control_plane.api.get(f"/openapi/v3/{name}")["components"]["schemas"]
    raw = OpenApi(SCHEMA.table, RESOURCES).document(name)
    assert raw is not None
    ours = SCHEMA_JSON.decode(raw)["components"]["schemas"]
    foreign = ours.keys() - real.keys()
    assert foreign <= {META + "Patch", "io.k8s.api.autoscaling.v1.Scale"}
    shared = ours.keys() - foreign
    assert without_prose({key: ours[key] for key in shared}) == without_prose(
        {key: real[key] for key in shared}
    )
