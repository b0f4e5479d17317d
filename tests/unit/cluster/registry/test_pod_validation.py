"""What the real API server answers to the same pods, from experiment."""

from typing import Any

import pytest

from unit.cluster.registry.api import Api, Json, container, message, pod

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    "or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end "
    "with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    "validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
LABEL = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and "
    "must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used "
    "for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
C = "spec.containers[0]"


def resources(**requirements: Any) -> Json:
    return container(resources=requirements)


def tolerating(**toleration: Any) -> Json:
    return pod(tolerations=[toleration])


def node_affinity(**fields: Any) -> Json:
    return pod(affinity={"nodeAffinity": fields})


def wanting(key: str, operator: str, *values: str) -> Json:
    expression = {"key": key, "operator": operator, "values": list(values)}
    return node_affinity(**{REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}})


def spreading(**fields: Any) -> Json:
    constraint = {
        "maxSkew": 1,
        "topologyKey": "zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"a": "b"}},
    }
    return pod(topologySpreadConstraints=[constraint | fields])


def anti_affinity(**term: Any) -> Json:
    return pod(affinity={"podAntiAffinity": {REQUIRED: [term]}})


MOUNT = {"name": "v", "mountPath": "/v"}
EXPRESSION = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0].matchExpressions[0]"
TERM = f"spec.affinity.podAntiAffinity.{REQUIRED}[0]"
SPREAD = "spec.topologySpreadConstraints[0]"
LIMIT = "must be less than or equal to cpu limit of 1"
NO_OVERCOMMIT = "Required value: Limit must be set for non overcommitable resources"

CASES: dict[str, tuple[Json, str]] = {
    "no containers": (pod(containers=[]), "spec.containers: Required value"),
    "empty container": (
        pod(containers=[{}]),
        f"[{C}.name: Required value, {C}.image: Required value]",
    ),
    "container name": (
        container(name="A"),
        f'{C}.name: Invalid value: "A": {LABEL}',
    ),
    "container twice": (
        pod(containers=[{"name": "a", "image": "b"}] * 2),
        'spec.containers[1].name: Duplicate value: "a"',
    ),
    "init container named as another": (
        pod(initContainers=[{"name": "c", "image": "b"}]),
        'spec.initContainers[0].name: Duplicate value: "c"',
    ),
    "probe of an init container": (
        pod(initContainers=[{"name": "i", "image": "b", "livenessProbe": {"exec": {}}}]),
        ("spec.initContainers[0].livenessProbe: Forbidden: may not be set for init containers "
        "without restartPolicy=Always"),
    ),
    "request over limit": (
        resources(requests={"cpu": "2"}, limits={"cpu": "1"}),
        f'{C}.resources.requests: Invalid value: "2": {LIMIT}',
    ),
    "negative request": (
        resources(requests={"cpu": "-1"}),
        f'{C}.resources.requests[cpu]: Invalid value: "-1": must be greater than or equal to 0',
    ),
    "unknown resource": (
        resources(limits={"foo": "1"}, requests={"foo": "1"}),
        (f'{C}.resources.limits[foo]: Invalid value: "foo": must be a standard resource type or '
        f'fully qualified, {C}.resources.limits[foo]: Invalid value: "foo": must be a standard '
        "resource for containers"),
    ),
    "extended resource without limit": (
        resources(requests={"nvidia.com/gpu": "1"}),
        f"{C}.resources.limits: {NO_OVERCOMMIT}",
    ),
    "extended resource request other than limit": (
        resources(requests={"nvidia.com/gpu": "1"}, limits={"nvidia.com/gpu": "2"}),
        f'{C}.resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
    ),
    "part of an extended resource": (
        resources(limits={"nvidia.com/gpu": "1500m"}),
        f'{C}.resources.limits[nvidia.com/gpu]: Invalid value: "1500m": must be an integer',
    ),
    "huge pages alone": (
        resources(limits={"hugepages-2Mi": "2Mi"}),
        f"{C}.resources: Forbidden: HugePages require cpu or memory",
    ),
    "claim that is not there": (
        resources(claims=[{"name": "q"}]),
        (f'{C}.resources.claims[0]: Not found: "q": must be one of the names in '
        "pod.spec.resourceClaims which is empty"),
    ),
    "port zero": (
        container(ports=[{"containerPort": 0}]),
        f"{C}.ports[0].containerPort: Required value",
    ),
    "port out of range": (
        container(ports=[{"containerPort": 70000}]),
        f"{C}.ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
    ),
    "port name twice": (
        container(ports=[{"containerPort": 1, "name": "a"}, {"containerPort": 2, "name": "a"}]),
        f'{C}.ports[1].name: Duplicate value: "a"',
    ),
    "host port twice": (
        container(ports=[{"containerPort": p, "hostPort": 80} for p in (80, 81)]),
        f'{C}.ports[1].hostPort: Duplicate value: "TCP//80"',
    ),
    "protocol": (
        container(ports=[{"containerPort": 1, "protocol": "X"}]),
        f'{C}.ports[0].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP"',
    ),
    "variable without a name": (
        container(env=[{"value": "x"}]),
        f"{C}.env[0].name: Required value",
    ),
    "variable with value and source": (
        container(
            env=[{"name": "a", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]
        ),
        f'{C}.env[0].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
    ),
    "mount of no volume": (
        container(volumeMounts=[MOUNT]),
        f'{C}.volumeMounts[0].name: Not found: "v"',
    ),
    "mount twice at one path": (
        pod(
            volumes=[{"name": "v"}],
            containers=[{"name": "c", "image": "i", "volumeMounts": [MOUNT, MOUNT]}],
        ),
        f'{C}.volumeMounts[1].mountPath: Invalid value: "/v": must be unique',
    ),
    "volume twice": (
        pod(volumes=[{"name": "v", "emptyDir": {}}] * 2),
        'spec.volumes[1].name: Duplicate value: "v"',
    ),
    "volume of two sources": (
        pod(volumes=[{"name": "v", "emptyDir": {}, "hostPath": {"path": "/x"}}]),
        "may not specify more than 1 volume type",
    ),
    "claim without a name": (
        pod(volumes=[{"name": "v", "persistentVolumeClaim": {}}]),
        "spec.volumes[0].persistentVolumeClaim.claimName: Required value",
    ),
    "pull policy": (
        container(imagePullPolicy="Foo"),
        (f'{C}.imagePullPolicy: Unsupported value: "Foo": supported values: "Always", '
        '"IfNotPresent", "Never"'),
    ),
    "restart policy": (
        pod(restartPolicy="Foo"),
        ('spec.restartPolicy: Unsupported value: "Foo": supported values: "Always", "OnFailure", '
        '"Never"'),
    ),
    "probe without a handler": (
        container(livenessProbe={}),
        f"{C}.livenessProbe: Required value: must specify a handler type",
    ),
    "node selector": (
        pod(nodeSelector={"a b": "c"}),
        f'spec.nodeSelector: Invalid value: "a b": {KEY}',
    ),
    "node with gates": (
        pod(nodeName="n", schedulingGates=[{"name": "g"}]),
        "spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared",
    ),
    "gate twice": (
        pod(schedulingGates=[{"name": "g"}] * 2),
        'spec.schedulingGates[1]: Duplicate value: "g"',
    ),
    "deadline": (
        pod(activeDeadlineSeconds=0),
        "spec.activeDeadlineSeconds: Invalid value: 0: must be between 1 and 2147483647, inclusive",
    ),
    "toleration without key": (
        tolerating(),
        ('spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is '
        'empty, which means "match all values and all keys"'),
    ),
    "toleration operator": (
        tolerating(key="a", operator="Foo"),
        ('spec.tolerations[0].operator: Unsupported value: "Foo": supported values: "Equal", '
        '"Exists"'),
    ),
    "toleration with Exists and a value": (
        tolerating(key="a", operator="Exists", value="x"),
        ('spec.tolerations[0].operator: Invalid value: "x": value must be empty when `operator` is '
        "'Exists'"),
    ),
    "toleration seconds": (
        tolerating(key="a", effect="NoSchedule", tolerationSeconds=5),
        ('spec.tolerations[0].effect: Invalid value: "NoSchedule": effect must be \'NoExecute\' '
        "when `tolerationSeconds` is set"),
    ),
    "toleration effect": (
        tolerating(key="a", effect="Foo"),
        ('spec.tolerations[0].effect: Unsupported value: "Foo": supported values: "NoSchedule", '
        '"PreferNoSchedule", "NoExecute"'),
    ),
    "no node selector terms": (
        node_affinity(**{REQUIRED: {"nodeSelectorTerms": []}}),
        (f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms: Required value: must have at "
        "least one node selector term"),
    ),
    "node operator": (
        wanting("a", "Foo"),
        f'{EXPRESSION}.operator: Invalid value: "Foo": not a valid selector operator',
    ),
    "In without values": (
        wanting("a", "In"),
        (f"{EXPRESSION}.values: Required value: must be specified when `operator` is 'In' or "
        "'NotIn'"),
    ),
    "Exists with values": (
        wanting("a", "Exists", "x"),
        (f"{EXPRESSION}.values: Forbidden: may not be specified when `operator` is 'Exists' or "
        "'DoesNotExist'"),
    ),
    "Gt without a value": (
        wanting("a", "Gt"),
        (f"{EXPRESSION}.values: Required value: must be specified single value when `operator` is "
        "'Lt' or 'Gt'"),
    ),
    "node value": (
        wanting("a", "In", "x y"),
        f'{EXPRESSION}.values[0]: Invalid value: "x y": {VALUE}',
    ),
    "weight": (
        node_affinity(**{PREFERRED: [{"weight": 0, "preference": {}}]}),
        (f"spec.affinity.nodeAffinity.{PREFERRED}[0].weight: Invalid value: 0: must be in the "
        "range 1-100"),
    ),
    "no topology key": (
        anti_affinity(labelSelector={}),
        f"{TERM}.topologyKey: Required value: can not be empty",
    ),
    "pod selector operator": (
        anti_affinity(
            topologyKey="z",
            labelSelector={"matchExpressions": [{"key": "a", "operator": "Foo"}]},
        ),
        (f'{TERM}.labelSelector.matchExpressions[0].operator: Invalid value: "Foo": not a valid '
        "selector operator"),
    ),
    "label keys without a selector": (
        anti_affinity(topologyKey="z", matchLabelKeys=["a"]),
        f"{TERM}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set",
    ),
    "skew": (
        spreading(maxSkew=0),
        f"{SPREAD}.maxSkew: Invalid value: 0: must be greater than zero",
    ),
    "when unsatisfiable": (
        spreading(whenUnsatisfiable="Foo"),
        (f'{SPREAD}.whenUnsatisfiable: Unsupported value: "Foo": supported values: '
        '"DoNotSchedule", "ScheduleAnyway"'),
    ),
    "least domains of a soft constraint": (
        spreading(minDomains=1, whenUnsatisfiable="ScheduleAnyway"),
        (f"{SPREAD}.minDomains: Invalid value: 1: can only use minDomains if "
        "whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway"),
    ),
    "constraint twice": (
        pod(topologySpreadConstraints=spreading()["spec"]["topologySpreadConstraints"] * 2),
        f'{SPREAD}.{{topologyKey, whenUnsatisfiable}}: Duplicate value: "{{zone, DoNotSchedule}}"',
    ),
    "host network": (
        pod(hostNetwork=True, containers=[
            {"name": "c", "image": "i", "ports": [{"containerPort": 80, "hostPort": 81}]}
        ]),
        (f"{C}.ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` "
        "is true"),
    ),
    "resource claim of nothing": (
        pod(resourceClaims=[{"name": "a"}]),
        ('spec.resourceClaims[0]: Invalid value: {"Name":"a","ResourceClaimName":null,'
        '"ResourceClaimTemplateName":null}: must specify one of: `resourceClaimName`, '
        "`resourceClaimTemplateName`"),
    ),
    "mirror pod without a node": (
        {"metadata": {"name": "p", "annotations": {"kubernetes.io/config.mirror": "x"}},
         "spec": pod()["spec"]},
        ('metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set '
        "spec.nodeName if mirror pod annotation is set"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_pod_is_refused_in_upstreams_words(api: Api, case: str) -> None:
    body, text = CASES[case]
    refusal = api.create("pods", body)
    assert text in message(refusal, 422)
    assert refusal["reason"] == "Invalid"
    assert refusal["details"]["causes"]
    assert api.names("pods") == []


@pytest.mark.parametrize(
    "good",
    [
        resources(limits={"nvidia.com/gpu": "2"}),
        resources(requests={"cpu": 0.5, "memory": "1Gi"}, limits={"ephemeral-storage": "1Gi"}),
        resources(limits={"cpu": "1", "hugepages-2Mi": "2Mi"}),
        tolerating(operator="Exists"),
        tolerating(key="a", value="b"),
        wanting("a", "Gt", "5"),
        spreading(minDomains=2),
        anti_affinity(topologyKey="z", labelSelector={}, matchLabelKeys=["a"]),
        pod(initContainers=[{"name": "i", "image": "x", "restartPolicy": "Always",
                             "startupProbe": {"tcpSocket": {"port": 1}}}]),
        container(ports=[{"containerPort": 80}, {"containerPort": 80}]),
    ],
)  # fmt: skip
def test_good_pod_is_taken(api: Api, good: Json) -> None:
    assert api.create("pods", good)["kind"] == "Pod"


@pytest.mark.parametrize("amount", ["abc", "1x", "", True])
def test_malformed_quantity_is_refused_while_it_is_decoded(api: Api, amount: Any) -> None:
    refusal = api.create("pods", resources(requests={"cpu": amount}))
    expected = 'Pod in version "v1" cannot be handled as a Pod: '
    assert message(refusal, 400).startswith(expected)
    assert refusal["reason"] == "BadRequest"
