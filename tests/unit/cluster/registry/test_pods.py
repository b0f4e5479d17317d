import pytest

from pilotfish.cluster.requests import ApiRequest
from unit.cluster.registry.api import ADMIN, Api, Json, container, message, pod, resource_of

GATE: Json = {"name": "example.com/wait"}


def test_new_pod_is_pending_and_its_status_is_the_servers(api: Api) -> None:
    created = api.create("pods", pod() | {"status": {"phase": "Running"}})
    assert created["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert created["metadata"]["generation"] == 1


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ({}, "BestEffort"),
        ({"requests": {"example.com/x": "1"}, "limits": {"example.com/x": "1"}}, "BestEffort"),
        ({"requests": {"cpu": "0"}}, "BestEffort"),
        ({"requests": {"cpu": "1"}}, "Burstable"),
        ({"limits": {"cpu": "1"}}, "Burstable"),
        (
            {
                "requests": {"cpu": "1000m", "memory": "1Gi"},
                "limits": {"cpu": "1", "memory": "1Gi"},
            },
            "Guaranteed",
        ),
        ({"limits": {"cpu": "1", "memory": "1Gi"}}, "Guaranteed"),
    ],
)
def test_class_of_service_is_of_cpu_and_memory(api: Api, resources: Json, expected: str) -> None:
    created = api.create("pods", container(resources=resources))
    assert created["status"]["qosClass"] == expected


def test_one_container_without_limits_makes_the_pod_burstable(api: Api) -> None:
    limits = {"limits": {"cpu": "1", "memory": "1Gi"}}
    spec: Json = {
        "containers": [
            {"name": "a", "image": "i", "resources": limits},
            {"name": "b", "image": "i"},
        ]
    }
    assert api.create("pods", pod(**spec))["status"]["qosClass"] == "Burstable"


def test_gated_pod_says_so(api: Api) -> None:
    created = api.create("pods", pod(schedulingGates=[GATE]))
    assert created["status"]["conditions"] == [
        {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": "2001-09-09T01:46:40Z",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
    ]


def test_gates_can_be_taken_away_but_not_added(api: Api) -> None:
    api.create("pods", pod(schedulingGates=[GATE, {"name": "b"}]))
    change = {"spec": {"schedulingGates": [GATE, {"name": "new"}]}}
    assert message(api.merge("pods", "p", change), 422) == (
        'Pod "p" is invalid: spec.schedulingGates[1].name: Forbidden: only deletion is allowed, '
        "but found new scheduling gate 'new'"
    )
    assert (
        "schedulingGates" not in api.merge("pods", "p", {"spec": {"schedulingGates": None}})["spec"]
    )
    change = {"spec": {"schedulingGates": [GATE]}}
    assert api.merge("pods", "p", change)["code"] == 422


def test_gated_pod_may_be_narrowed_and_not_widened(api: Api) -> None:
    api.create("pods", pod(schedulingGates=[GATE], nodeSelector={"a": "b"}))
    narrowed = api.merge("pods", "p", {"spec": {"nodeSelector": {"c": "d"}}})
    assert narrowed["spec"]["nodeSelector"] == {"a": "b", "c": "d"}
    refusal = api.merge("pods", "p", {"spec": {"nodeSelector": {"a": "x"}}})
    assert message(refusal, 422) == (
        'Pod "p" is invalid: spec.nodeSelector: Invalid value: {"a":"x","c":"d"}: only additions '
        "to spec.nodeSelector are allowed (no mutations or deletions)"
    )


def test_required_terms_of_a_gated_pod_take_more_conditions_and_lose_none(api: Api) -> None:
    def affinity(*keys: str) -> Json:
        expressions = [{"key": key, "operator": "Exists"} for key in keys]
        required = {"nodeSelectorTerms": [{"matchExpressions": expressions}]}
        return {
            "affinity": {
                "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
            }
        }

    api.create("pods", pod(schedulingGates=[GATE], **affinity("a")))
    assert "code" not in api.merge("pods", "p", {"spec": affinity("a", "b")})
    refusal = api.merge("pods", "p", {"spec": affinity("b")})
    assert "only additions are allowed (no mutations or deletions)" in message(refusal, 422)


def test_image_deadline_and_more_tolerations_may_change(api: Api) -> None:
    api.create("pods", pod())
    change = {"spec": {"containers": [{"name": "c", "image": "other"}]}}
    assert api.strategic("pods", "p", change)["spec"]["containers"][0]["image"] == "other"
    known = api.get("pods", "p")["spec"]["tolerations"]
    more = [*known, {"key": "x", "operator": "Exists"}]
    assert api.merge("pods", "p", {"spec": {"tolerations": more}})["spec"]["tolerations"] == more
    assert message(api.merge("pods", "p", {"spec": {"tolerations": known}}), 422) == (
        'Pod "p" is invalid: spec.tolerations: Forbidden: existing toleration can not be modified '
        "except its tolerationSeconds"
    )


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        (
            {"activeDeadlineSeconds": 11},
            (
                "spec.activeDeadlineSeconds: Invalid value: 11: must be less than or equal to "
                "previous value"
            ),
        ),
        (
            {"activeDeadlineSeconds": None},
            (
                "spec.activeDeadlineSeconds: Invalid value: null: must not update from a positive "
                "integer to nil value"
            ),
        ),
        (
            {"containers": []},
            (
                "[spec.containers: Required value, "
                "spec.containers: Forbidden: pod updates may not add or remove containers]"
            ),
        ),
        (
            {"containers": [{"name": "c", "image": " nginx"}]},
            (
                'spec.containers[0].image: Invalid value: " nginx": must not have leading or '
                "trailing whitespace"
            ),
        ),
    ],
)
def test_other_changes_of_a_pod_are_refused(api: Api, spec: Json, text: str) -> None:
    api.create("pods", pod(activeDeadlineSeconds=10))
    assert text in message(api.merge("pods", "p", {"spec": spec}), 422)


def test_refused_change_is_shown_as_a_difference(api: Api) -> None:
    api.create("pods", pod())
    refusal = api.merge("pods", "p", {"spec": {"schedulerName": "mine"}})
    lines = message(refusal, 422).splitlines()
    assert '- "schedulerName": "default-scheduler",' in lines
    assert '+ "schedulerName": "mine",' in lines


def test_label_keys_of_a_term_are_merged_into_its_selector(api: Api) -> None:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "a"}},
        "matchLabelKeys": ["version", "absent"],
    }
    term = {"topologyKey": "zone", "labelSelector": {}, "mismatchLabelKeys": ["version"]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    made = pod(topologySpreadConstraints=[constraint], affinity={"podAntiAffinity": required})
    made["metadata"]["labels"] = {"version": "2"}
    spec = api.create("pods", made)["spec"]
    assert spec["topologySpreadConstraints"][0]["labelSelector"] == {
        "matchLabels": {"app": "a"},
        "matchExpressions": [{"key": "version", "operator": "In", "values": ["2"]}],
    }
    terms = spec["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert terms[0]["labelSelector"] == {
        "matchExpressions": [{"key": "version", "operator": "NotIn", "values": ["2"]}]
    }


def test_negative_grace_period_is_the_shortest(api: Api) -> None:
    created = api.create("pods", pod(terminationGracePeriodSeconds=-5))
    assert created["spec"]["terminationGracePeriodSeconds"] == 1


def test_class_of_service_never_changes_and_survives_being_left_out(api: Api) -> None:
    api.create("pods", pod())
    kept = api.merge("pods", "p", {"status": {"qosClass": None}}, part="status")
    assert kept["status"]["qosClass"] == "BestEffort"
    refusal = api.merge("pods", "p", {"status": {"qosClass": "Guaranteed"}}, part="status")
    assert message(refusal, 422) == (
        'Pod "p" is invalid: status.qosClass: Invalid value: "Guaranteed": field is immutable'
    )


def test_observed_generations_of_conditions_survive_being_left_out(api: Api) -> None:
    api.create("pods", pod())
    condition = {"type": "Ready", "status": "True"}
    seen = {"status": {"conditions": [condition | {"observedGeneration": 1}]}}
    api.merge("pods", "p", seen, part="status")
    written = api.merge("pods", "p", {"status": {"conditions": [condition]}}, part="status")
    assert written["status"]["conditions"][0]["observedGeneration"] == 1


def test_nomination_of_a_bound_pod_is_refused(api: Api) -> None:
    api.create("pods", pod(nodeName="n"))
    refusal = api.merge("pods", "p", {"status": {"nominatedNodeName": "m"}}, part="status")
    assert message(refusal, 422).endswith(
        "status.nominatedNodeName: Forbidden: may not be set on pods that are already bound to a "
        "node"
    )


def test_name_with_dots_is_taken_with_a_warning(api: Api) -> None:
    request = ApiRequest(
        verb="create",
        resource=resource_of("pods"),
        user=ADMIN,
        namespace="default",
        body=pod("a.b"),
    )
    api.cluster.request(request, api.now)
    (warning,) = request.warnings
    assert warning == (
        "metadata.name: this is used in the Pod's hostname, which can result in surprising "
        "behavior; a DNS label is recommended: [must not contain dots]"
    )
