from typing import Any

import pytest

from api_face import NOW, Face
from pilotfish.cluster.loading import load_objects

PODS = "/api/v1/namespaces/default/pods"
SETS = "/apis/apps/v1/namespaces/default/statefulsets"
DAEMONS = "/apis/apps/v1/namespaces/default/daemonsets"
UID = "4e0c6fb4-6b05-4d0e-9b07-4f1d5f4a0001"


def pod(name: str, **metadata: Any) -> dict[str, Any]:
    """Make a pod as a file holds it."""
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, **metadata},
        "spec": {"nodeName": "far", "containers": [{"name": "c", "image": "nginx"}]},
        "status": {"phase": "Running"},
    }


def test_recorded_object_keeps_what_a_client_could_not_set() -> None:
    face = Face()
    recorded = pod("a", namespace="team", uid=UID, resourceVersion="5", managedFields=[{}])
    assert load_objects(face.cluster, [recorded], NOW).count == 1
    found = face.ask("GET", "/api/v1/namespaces/team/pods/a").json
    assert (found["metadata"]["uid"], found["status"]["phase"]) == (UID, "Running")
    assert found["spec"]["nodeName"] == "far"
    assert "managedFields" not in found["metadata"]
    assert found["spec"]["restartPolicy"] == "Always"  # defaults are filled in


def test_new_object_is_created_as_by_a_user() -> None:
    face = Face()
    load_objects(face.cluster, [pod("a")], NOW)
    found = face.ask("GET", "/api/v1/namespaces/default/pods/a").json
    assert found["metadata"]["uid"]
    assert found["status"]["phase"] == "Pending"


def test_namespaces_come_before_what_is_in_them_and_missing_ones_are_made() -> None:
    face = Face()
    named = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "b", "uid": UID}}
    loaded = load_objects(face.cluster, [pod("x", namespace="b"), named], NOW)
    assert (loaded.count, loaded.refused) == (2, [])
    assert face.ask("GET", "/api/v1/namespaces/b").json["metadata"]["uid"] == UID


def test_what_is_not_served_is_counted_and_what_is_wrong_is_told() -> None:
    face = Face()
    widget = {"kind": "Widget", "apiVersion": "example.com/v1", "metadata": {"name": "w"}}
    wrong = pod("wrong") | {"spec": {"containers": []}}
    loaded = load_objects(face.cluster, [widget, widget, wrong, {"kind": "Pod"}], NOW)
    assert loaded.unserved == {"example.com/v1 Widget": 2, " Pod": 1}
    assert loaded.refused[0].startswith('Pod default/wrong: Pod "wrong" is invalid')


def test_event_of_the_new_group_is_the_same_event() -> None:
    face = Face()
    event = {
        "kind": "Event",
        "apiVersion": "events.k8s.io/v1",
        "metadata": {"name": "e", "namespace": "default", "uid": UID},
        "note": "placed",
        "regarding": {"kind": "Pod", "name": "a", "namespace": "default"},
    }
    load_objects(face.cluster, [event], NOW)
    assert face.ask("GET", "/api/v1/namespaces/default/events/e").json["message"] == "placed"


def test_pods_of_another_cluster_s_sets_stay_as_they_are() -> None:
    first, then = Face(nodes=2), Face(nodes=2)
    for kind, path, more in (
        ("StatefulSet", SETS, {"serviceName": "s", "replicas": 2}),
        ("DaemonSet", DAEMONS, {}),
    ):
        spec = {"selector": {"matchLabels": {"a": kind}}, "template": template(kind), **more}
        body = {"kind": kind, "apiVersion": "apps/v1", "metadata": {"name": "s"}, "spec": spec}
        assert first.ask("POST", path, body).status == 201
    pass_time(first)
    recorded = [
        {"kind": kind, "apiVersion": version, **item}
        for kind, version, path in (
            ("Pod", "v1", PODS),
            ("StatefulSet", "apps/v1", SETS),
            ("DaemonSet", "apps/v1", DAEMONS),
        )
        for item in first.ask("GET", path).json["items"]
    ]
    for obj in recorded:  # that cluster's controllers make other hashes of the same templates
        obj["metadata"].get("labels", {})["controller-revision-hash"] = "s-theirs"
        if obj["kind"] == "StatefulSet":
            obj["status"] |= {"currentRevision": "s-theirs", "updateRevision": "s-theirs"}
    assert load_objects(then.cluster, recorded, NOW).refused == []
    pass_time(then)
    kept = {pod["metadata"]["uid"] for pod in then.ask("GET", PODS).json["items"]}
    assert kept == {obj["metadata"]["uid"] for obj in recorded if obj["kind"] == "Pod"}
    assert len(kept) == 3


def template(app: str) -> dict[str, Any]:
    """Make a template whose pods run on the first node only."""
    return {
        "metadata": {"labels": {"a": app}},
        "spec": {
            "nodeSelector": {"kubernetes.io/hostname": "node-1"},
            "nodeName": "node-1",
            "containers": [{"name": "c", "image": "i"}],
        },
    }


def pass_time(face: Face) -> None:
    """Let a minute pass."""
    for _ in range(60):
        face.now += 1
        face.cluster.advance(face.now)


@pytest.mark.parametrize(
    ("recorded", "complaint"),
    [
        (pod("../a", uid=UID), 'Pod default/../a: Pod "../a" is invalid: metadata.name'),
        (pod("a", uid=UID, namespace=5), "Pod 5/a: the namespace is no text"),
        (pod("", uid=UID), 'Pod default/: Pod "" is invalid: metadata.name: Required value'),
        (
            {
                "kind": "PodDisruptionBudget",
                "apiVersion": "policy/v1",
                "metadata": {"name": "b", "uid": UID},
                "spec": {"minAvailable": "x%"},
            },
            'PodDisruptionBudget default/b: PodDisruptionBudget.policy "b" is invalid: spec.minA',
        ),
    ],
)
def test_recorded_object_that_no_cluster_has_is_refused(
    recorded: dict[str, Any], complaint: str
) -> None:
    [refused] = load_objects(Face().cluster, [recorded], NOW).refused
    assert refused.startswith(complaint)
