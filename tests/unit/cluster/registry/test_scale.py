import pytest

from unit.cluster.registry.api import POD_SPEC, Api, Json, message

TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}


@pytest.fixture(autouse=True)
def deployment(api: Api) -> Json:
    selector = {
        "matchLabels": {"a": "b"},
        "matchExpressions": [{"key": "a", "operator": "In", "values": ["c", "b"]}],
    }
    spec = {"replicas": 0, "selector": selector, "template": TEMPLATE}
    return api.create("deployments", {"metadata": {"name": "d"}, "spec": spec})


def test_scale_shows_replicas_and_the_selector_as_kubectl_takes_it(
    api: Api, deployment: Json
) -> None:
    scale = api.get("deployments", "d", part="scale")
    assert (scale["kind"], scale["apiVersion"]) == ("Scale", "autoscaling/v1")
    assert scale["metadata"]["uid"] == deployment["metadata"]["uid"]
    assert scale["spec"] == {}
    assert scale["status"] == {"replicas": 0, "selector": "a=b,a in (b,c)"}


@pytest.mark.parametrize("verb", ["update", "merge"])
def test_scale_sets_the_replicas_of_the_workload(api: Api, verb: str) -> None:
    body = {"metadata": {"name": "d"}, "spec": {"replicas": 3}}
    write = api.update if verb == "update" else api.merge
    assert write("deployments", "d", body, part="scale")["spec"] == {"replicas": 3}
    written = api.get("deployments", "d")
    assert written["spec"]["replicas"] == 3
    assert written["metadata"]["generation"] == 2


def test_scale_of_a_replication_controller_has_its_plain_selector(api: Api) -> None:
    spec = {"replicas": 2, "template": TEMPLATE}
    api.create("replicationcontrollers", {"metadata": {"name": "r"}, "spec": spec})
    scale = api.get("replicationcontrollers", "r", part="scale")
    assert (scale["spec"], scale["status"]["selector"]) == ({"replicas": 2}, "a=b")


@pytest.mark.parametrize(
    ("metadata", "replicas", "code", "text"),
    [
        (
            {"name": "d"},
            -1,
            422,
            (
                'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be '
                "greater than or equal to 0"
            ),
        ),
        (
            {"name": "e"},
            1,
            400,
            "the name of the object (e) does not match the name on the URL (d)",
        ),
        (
            {"name": "d", "resourceVersion": "1"},
            1,
            409,
            (
                'Operation cannot be fulfilled on deployments.apps "d": the object has been '
                "modified; please apply your changes to the latest version and try again"
            ),
        ),
    ],
)
def test_bad_scales_are_refused(
    api: Api, metadata: Json, replicas: int, code: int, text: str
) -> None:
    body = {"metadata": metadata, "spec": {"replicas": replicas}}
    assert message(api.update("deployments", "d", body, part="scale"), code) == text


def test_scale_of_another_uid_conflicts(api: Api) -> None:
    body = {"metadata": {"name": "d", "uid": "other"}, "spec": {"replicas": 1}}
    refusal = api.update("deployments", "d", body, part="scale")
    assert "Key: /registry/deployments/default/d," in message(refusal, 409)


def test_dry_run_scales_nothing(api: Api) -> None:
    change = {"spec": {"replicas": 3}}
    answer = api.merge("deployments", "d", change, part="scale", dry_run=True)
    assert answer["spec"] == {"replicas": 3}
    assert api.get("deployments", "d")["spec"]["replicas"] == 0


def test_scale_of_what_is_not_there_is_not_found(api: Api) -> None:
    refusal = api.get("deployments", "nope", part="scale")
    assert message(refusal, 404) == 'deployments.apps "nope" not found'
