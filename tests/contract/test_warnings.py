"""What both servers say of objects that they accept."""

from __future__ import annotations

from typing import Any

import pytest

from contract.objects import container, deployment, pod
from contract.server import MERGE_PATCH, Answer, Server

Json = dict[str, Any]

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
OLD_ZONE = {"key": "failure-domain.beta.kubernetes.io/zone", "operator": "Exists"}
ZONE_IS_OLD = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
NO_POD = "a null labelSelector results in matching no pod"
TWICE = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
HIDES = 'hides previous definition of "A", which may be dropped when using apply'


def told(answer: Answer) -> list[str]:
    answer.ok()
    return [text.replace('\\"', '"') for text in answer.warnings]


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        (
            {"nodeSelector": {"beta.kubernetes.io/os": "linux"}},
            (
                "spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; "
                'use "kubernetes.io/os" instead'
            ),
        ),
        (
            {
                "affinity": {
                    "nodeAffinity": {
                        REQUIRED: {"nodeSelectorTerms": [{"matchExpressions": [OLD_ZONE]}]}
                    }
                }
            },
            (
                f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms[0]."
                f"matchExpressions[0].key: {OLD_ZONE['key']} is {ZONE_IS_OLD}"
            ),
        ),
        (
            {"imagePullSecrets": [{"name": "a"}, {"name": "a"}]},
            'spec.imagePullSecrets[1].name: duplicate name "a"',
        ),
        (
            {"imagePullSecrets": [{"name": ""}]},
            'spec.imagePullSecrets[0].name: invalid empty name ""',
        ),
        (
            {"affinity": {"podAffinity": {REQUIRED: [{"topologyKey": "z"}]}}},
            f"spec.affinity.podAffinity.{REQUIRED}[0].labelSelector: {NO_POD}",
        ),
        (
            {
                "affinity": {
                    "podAntiAffinity": {
                        PREFERRED: [{"weight": 1, "podAffinityTerm": {"topologyKey": "z"}}]
                    }
                }
            },
            f"spec.affinity.podAntiAffinity.{PREFERRED}[0].podAffinityTerm.labelSelector: {NO_POD}",
        ),
        (
            {
                "topologySpreadConstraints": [
                    {"maxSkew": 1, "topologyKey": "z", "whenUnsatisfiable": "DoNotSchedule"}
                ]
            },
            f"spec.topologySpreadConstraints[0].labelSelector: {NO_POD}",
        ),
        (
            {"containers": [container(resources={"requests": {"memory": "100m"}})]},
            (
                'spec.containers[0].resources.requests[memory]: fractional byte value "100m" is '
                "invalid, must be an integer"
            ),
        ),
        ({"containers": [container(env=TWICE)]}, f"spec.containers[0].env[1]: {HIDES}"),
    ],
    ids=[
        "selector",
        "node term",
        "same secret",
        "no secret",
        "pod term",
        "weighted pod term",
        "spread",
        "bytes",
        "variable",
    ],
)
def test_odd_pod_is_taken_with_a_warning(api: Server, core: str, spec: Json, warning: str) -> None:
    assert told(api.post(f"{core}/pods", pod("odd", **spec), dryRun="All")) == [warning]


def test_variable_that_extends_itself_is_not_odd(api: Server, core: str) -> None:
    extended = [{"name": "A", "value": "1"}, {"name": "A", "value": "$(A)2"}]
    even = pod("even", containers=[container(env=extended)])
    assert told(api.post(f"{core}/pods", even, dryRun="All")) == []


def test_odd_template_is_taken_with_a_warning_each_time_that_it_counts(
    api: Server, space: str
) -> None:
    path, odd = f"/apis/apps/v1/namespaces/{space}/deployments", deployment("odd")
    odd["spec"]["template"]["spec"]["containers"] = [container(env=TWICE)]
    warning = f"spec.template.spec.containers[0].env[1]: {HIDES}"
    assert told(api.post(path, odd)) == [warning]
    changed = api.patch(f"{path}/odd", {"spec": {"minReadySeconds": 1}}, MERGE_PATCH)
    assert told(changed) == [warning]
    labelled = api.patch(f"{path}/odd", {"metadata": {"labels": {"a": "b"}}}, MERGE_PATCH)
    assert told(labelled) == []


def test_old_label_of_a_volume_is_taken_with_a_warning(api: Server) -> None:
    term = {"matchExpressions": [OLD_ZONE]}
    spec = {
        "capacity": {"storage": "1Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/x"},
        "nodeAffinity": {"required": {"nodeSelectorTerms": [term]}},
    }
    volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "odd"}}
    answer = api.post("/api/v1/persistentvolumes", volume | {"spec": spec}, dryRun="All")
    at = "spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key"
    assert told(answer) == [f"{at}: {OLD_ZONE['key']} is {ZONE_IS_OLD}"]


def test_name_of_a_job_with_dots_is_taken_with_a_warning(api: Server, space: str) -> None:
    spec = {"template": {"spec": pod("x", restartPolicy="Never")["spec"]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "a.b"}, "spec": spec}
    answer = api.post(f"/apis/batch/v1/namespaces/{space}/jobs", job, dryRun="All")
    assert told(answer) == [
        (
            "metadata.name: this is used in Pod names and hostnames, which can result in "
            "surprising behavior; a DNS label is recommended: [must not contain dots]"
        )
    ]


def test_claim_of_a_part_of_a_byte_is_odd(api: Server, core: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1500m"}}}
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "odd"}}
    answer = api.post(f"{core}/persistentvolumeclaims", claim | {"spec": spec}, dryRun="All")
    at = "spec.resources.requests[storage]"
    assert told(answer) == [f'{at}: fractional byte value "1500m" is invalid, must be an integer']
