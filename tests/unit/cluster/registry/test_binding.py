import pytest

from unit.cluster.registry.api import Api, Json, message, pod

CONFLICT = 'Operation cannot be fulfilled on pods/binding "p": '


@pytest.fixture(autouse=True)
def waiting_pod(api: Api) -> Json:
    return api.create("pods", pod())


def test_binding_assigns_the_node_and_says_when(api: Api) -> None:
    assert api.bind("p", "n1") == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
    bound = api.get("pods", "p")
    assert bound["spec"]["nodeName"] == "n1"
    assert bound["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": "2001-09-09T01:46:40Z",
        }
    ]
    assert bound["metadata"]["generation"] == 1


def test_legacy_bindings_do_the_same(api: Api) -> None:
    body = {"metadata": {"name": "p"}, "target": {"name": "n1"}}
    assert api.create("bindings", body)["status"] == "Success"
    assert api.get("pods", "p")["spec"]["nodeName"] == "n1"


def test_binding_hands_on_annotations_labels_and_the_topology_of_the_node(api: Api) -> None:
    zone = {"topology.kubernetes.io/zone": "z", "other": "x"}
    api.create("nodes", {"metadata": {"name": "n1", "labels": zone}})
    api.bind("p", "n1", annotations={"a": "1"}, labels={"l": "2"})
    metadata = api.get("pods", "p")["metadata"]
    assert metadata["annotations"] == {"a": "1"}
    assert metadata["labels"] == {"l": "2", "topology.kubernetes.io/zone": "z"}


def test_binding_clears_the_nomination(api: Api) -> None:
    api.merge("pods", "p", {"status": {"nominatedNodeName": "n2"}}, part="status")
    api.bind("p")
    assert "nominatedNodeName" not in api.get("pods", "p")["status"]


def test_condition_that_said_no_changes_with_the_binding(api: Api) -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    api.strategic("pods", "p", {"status": {"conditions": [condition]}}, part="status")
    api.settle(seconds=5)
    api.bind("p")
    conditions = api.get("pods", "p")["status"]["conditions"]
    assert [(c["status"], c["lastTransitionTime"]) for c in conditions] == [
        ("True", "2001-09-09T01:46:45Z")
    ]


@pytest.mark.parametrize("node", ["n1", "n2"])
def test_second_binding_conflicts_even_to_the_same_node(api: Api, node: str) -> None:
    api.bind("p", "n1")
    refusal = api.bind("p", node)
    assert message(refusal, 409) == f'{CONFLICT}pod p is already assigned to node "n1"'
    assert refusal["details"] == {"name": "p", "kind": "pods/binding"}


def test_binding_of_another_pod_of_that_name_conflicts(api: Api) -> None:
    refusal = api.bind("p", uid="other")
    assert "Precondition failed: UID in precondition: other, UID in object meta: " in message(
        refusal, 409
    )
    assert refusal["details"]["kind"] == "pods"


def test_gated_pod_is_not_bound(api: Api) -> None:
    gated = pod("g", schedulingGates=[{"name": "wait"}])
    api.create("pods", gated)
    assert message(api.bind("g"), 409).endswith("pod g has non-empty .spec.schedulingGates")


def test_pod_that_is_being_deleted_is_not_bound(api: Api) -> None:
    api.merge("pods", "p", {"metadata": {"finalizers": ["a.b/c"]}})
    api.delete("pods", "p")
    assert message(api.bind("p"), 409) == (
        f"{CONFLICT}pod p is being deleted, cannot be assigned to a host"
    )


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        ({"metadata": {"name": "q"}}, 400, "name in URL does not match name in Binding object"),
        (
            {"metadata": {"name": "p"}},
            422,
            'Binding "p" is invalid: target.name: Required value',
        ),
        (
            {"metadata": {"name": "p"}, "target": {"kind": "Foo", "name": "n"}},
            422,
            (
                'Binding "p" is invalid: target.kind: Unsupported value: "Foo": supported values: '
                '"Node", "<empty>"'
            ),
        ),
        (
            {"metadata": {"name": "p", "namespace": "z"}, "target": {"name": "n"}},
            400,
            "the namespace of the provided object does not match the namespace sent on the request",
        ),
    ],
)
def test_bad_bindings_are_the_clients_fault(api: Api, body: Json, code: int, text: str) -> None:
    assert message(api.ask("create", "pods", "p", body, part="binding"), code) == text


def test_binding_of_a_pod_that_is_gone_is_not_found(api: Api) -> None:
    assert message(api.bind("q"), 404) == 'pods "q" not found'


def test_dry_run_binds_nothing(api: Api) -> None:
    body = {"metadata": {"name": "p"}, "target": {"name": "n"}}
    answer = api.ask("create", "pods", "p", body, part="binding", dry_run=True)
    assert answer["status"] == "Success"
    assert "nodeName" not in api.get("pods", "p")["spec"]


def test_node_of_a_pod_is_changed_by_nothing_but_a_binding(api: Api) -> None:
    refusal = api.merge("pods", "p", {"spec": {"nodeName": "n"}})
    assert message(refusal, 422).startswith(
        'Pod "p" is invalid: spec: Forbidden: pod updates may not change fields other than '
        "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,"
        "`spec.tolerations` (only additions to existing tolerations),"
        "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously "
        "negative)\n@@ "
    )
    assert '+ "nodeName": "n",\n' in refusal["message"]
    api.merge("pods", "p", {"spec": {"nodeName": "n"}}, part="status")
    assert "nodeName" not in api.get("pods", "p")["spec"]
