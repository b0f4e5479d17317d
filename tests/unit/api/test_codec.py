import json
from typing import Any

import msgspec
import pytest

from make import node, pod
from pilotfish.api.codec import MalformedObjectError, decode, decode_list, encode
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.api.quantity import Quantity
from pilotfish.api.workloads import (
    Namespace,
    PodDisruptionBudget,
    ReplicaSet,
    ReplicationController,
    Service,
    StatefulSet,
)


def _pod(**spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "default", "name": "web", "uid": "u1", "resourceVersion": "7"}
    return {"kind": "Pod", "metadata": metadata, "spec": spec}


def _json(content: object) -> bytes:
    return json.dumps(content).encode()


def _container(**fields: Any) -> dict[str, Any]:
    return {"name": "app", "image": "app:v1", **fields}


def test_what_scheduling_reads_is_decoded_and_the_rest_skipped() -> None:
    requests = {"cpu": "250m", "memory": "1Gi"}
    content = _pod(
        containers=[_container(resources={"requests": requests}, env=[{"name": "A"}])],
        dnsPolicy="ClusterFirst",
    )
    content["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    found = decode(Pod, _json(content))
    assert found.key == "default/web"
    assert found.uid == "u1"
    assert found.spec.containers[0].resources.requests == {
        "cpu": Quantity.parse("250m"),
        "memory": Quantity.parse("1Gi"),
    }


@pytest.mark.parametrize(
    ("amount", "text"), [("1.5", "1.5"), (" 2 ", "2"), (2, "2"), (0.1, "100m"), (None, "0")]
)
def test_quantities_may_be_strings_numbers_and_null(amount: object, text: str) -> None:
    found = decode(Pod, _json(_pod(overhead={"cpu": amount})))
    assert found.spec.overhead == {"cpu": Quantity.parse(text)}


@pytest.mark.parametrize(
    ("spec", "field", "reason"),
    [
        (
            {"containers": [_container(resources={"requests": {"cpu": "12Q"}})]},
            "spec.containers[0].resources.requests[...]",
            'quantity "12Q" is malformed (unknown suffix "Q")',
        ),
        (
            {"overhead": {"cpu": True}},
            "spec.overhead[...]",
            "a quantity is a string or a number, not a boolean",
        ),
        ({"overhead": {"cpu": ["1"]}}, "spec.overhead[...]", "a quantity is a string or a number"),
        (
            {"tolerations": [{"operator": "Near"}]},
            "spec.tolerations[0].operator",
            "Invalid enum value 'Near'",
        ),
        ({"priority": "high"}, "spec.priority", "Expected `int`, got `str`"),
        ({"containers": [None]}, "spec.containers[0]", "Expected `object`, got `null`"),
        (
            {"affinity": None, "containers": [_container(ports=[{"hostPort": "80"}])]},
            "spec.containers[0].ports[0].hostPort",
            "Expected `int`, got `str`",
        ),
    ],
)
def test_malformed_pod_is_reported_with_its_name_and_field(
    spec: dict[str, Any], field: str, reason: str
) -> None:
    with pytest.raises(MalformedObjectError) as caught:
        decode(Pod, _json(_pod(**spec)))
    error = caught.value
    assert str(error) == f"pod default/web: {field}: {reason}"
    assert (error.kind, error.namespace, error.name) == ("Pod", "default", "web")
    assert (error.uid, error.resource_version) == ("u1", "7")
    assert (error.field, error.reason) == (field, reason)


def test_malformed_object_without_namespace_is_named_without_one() -> None:
    content = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4 cores"}}}
    with pytest.raises(MalformedObjectError, match=r"^node n1: status\.allocatable\[\.\.\.\]: "):
        decode(Node, _json(content))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"metadata": {"name": 5}}, "pod without a readable name: metadata.name: Expected `str`"),
        ({"metadata": []}, "pod without a readable name: metadata: Expected `object`"),
        ([], "pod without a readable name: Expected `object`, got `array`"),
        (None, "pod without a readable name: Expected `object`, got `null`"),
    ],
)
def test_malformed_identity_is_reported_too(content: object, message: str) -> None:
    with pytest.raises(MalformedObjectError) as caught:
        decode(Pod, _json(content))
    assert str(caught.value).startswith(message)


def test_text_that_is_no_json_is_no_malformed_object() -> None:
    with pytest.raises(msgspec.DecodeError):
        decode(Pod, b'{"metadata":{"name":"we')
    with pytest.raises(msgspec.DecodeError):
        decode_list(Pod, b'{"items":[{')


def test_null_is_taken_for_absent() -> None:
    content = _pod(
        containers=[_container(resources={"requests": None}, ports=None)],
        initContainers=None,
        nodeSelector=None,
        nodeName=None,
        affinity=None,
    )
    content["metadata"] |= {"labels": None, "creationTimestamp": None}
    found = decode(Pod, _json(content))
    assert found.spec.init_containers == ()
    assert found.spec.node_selector == {}
    assert found.spec.node_name == ""
    assert found.spec.containers[0].resources.requests == {}
    assert found.labels == {}
    assert found.uid == "u1"


def test_page_is_decoded_with_what_continues_it() -> None:
    metadata = {"resourceVersion": "9", "continue": "token"}
    page = decode_list(Pod, _json({"metadata": metadata, "items": [_pod(), _pod()]}))
    assert [item.name for item in page.items] == ["web", "web"]
    assert page.malformed == []
    assert (page.resource_version, page.continue_token) == ("9", "token")


@pytest.mark.parametrize("items", [{}, {"items": None}, {"items": []}])
def test_empty_page_has_no_items(items: dict[str, Any]) -> None:
    page = decode_list(Pod, _json({"metadata": {"resourceVersion": "9"}, **items}))
    assert (page.items, page.malformed, page.continue_token) == ([], [], "")


def test_malformed_item_costs_only_itself() -> None:
    items = [_pod(nodeName="n1"), _pod(priority="high"), _pod(containers=None, nodeName="n2")]
    metadata = {"resourceVersion": "9", "continue": "token"}
    page = decode_list(Pod, _json({"metadata": metadata, "items": items}))
    assert [item.node_name for item in page.items] == ["n1", "n2"]
    assert [str(error) for error in page.malformed] == [
        "pod default/web: spec.priority: Expected `int`, got `str`"
    ]
    assert (page.resource_version, page.continue_token) == ("9", "token")


@pytest.mark.parametrize(
    "made",
    [
        pod("a"),
        pod(
            "b",
            cpu="0.50",
            memory="1.5Gi",
            tolerations=["gpu:NoSchedule", "k=v:NoExecute"],
            images=["a:v1", "b:v1"],
            host_ports=[80],
            resources={"requests": {"cpu": "2"}},
            status={"conditions": [{"type": "PodScheduled", "status": "False"}]},
        ),
    ],
    ids=["plain", "full"],
)
def test_encoded_pod_decodes_equal(made: Pod) -> None:
    assert decode(Pod, encode(made)) == made


def test_encoded_node_decodes_equal_and_keeps_the_text_of_quantities() -> None:
    made = node("n1", memory="0.50Gi", taints=["k=v:NoSchedule"], images={"app:v1": 7})
    assert decode(Node, encode(made)) == made
    assert b'"memory":"0.50Gi"' in encode(made)


def test_defaults_are_left_out_of_the_encoding() -> None:
    assert json.loads(encode(Namespace())) == {}


@pytest.mark.parametrize("kind", [Service, ReplicationController])
def test_map_selectors_are_decoded(kind: type[Service | ReplicationController]) -> None:
    found = decode(kind, b'{"metadata":{"name":"s"},"spec":{"selector":{"app":"web"}}}')
    assert found.spec.selector == {"app": "web"}


@pytest.mark.parametrize("kind", [ReplicaSet, StatefulSet, PodDisruptionBudget])
def test_label_selectors_are_decoded(
    kind: type[ReplicaSet | StatefulSet | PodDisruptionBudget],
) -> None:
    found = decode(kind, b'{"spec":{"selector":{"matchLabels":{"app":"web"}}}}')
    assert found.spec.selector is not None
    assert found.spec.selector.matches({"app": "web", "tier": "x"})
    assert decode(kind, b'{"spec":{}}').spec.selector is None


def test_disruption_budget_says_what_may_still_be_disrupted() -> None:
    status = {"disruptionsAllowed": 2, "disruptedPods": {"web-1": "2026-11-22T08:00:00Z"}}
    found = decode(PodDisruptionBudget, _json({"status": status}))
    assert found.status.disruptions_allowed == 2
    assert list(found.status.disrupted_pods) == ["web-1"]
