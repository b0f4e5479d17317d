"""Whatever clients send, the cluster answers or refuses it, and keeps what it had."""

import copy
import random
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.requests import MERGE_PATCH, ApiRequest, Options, User, Verb
from pilotfish.cluster.resources import TABLE, Resource
from pilotfish.cluster.settings import ClusterSettings

ADMIN = User("admin", ("system:masters",))
SERVER_ERROR = 500
POD_SPEC = {
    "containers": [
        {
            "name": "c",
            "image": "i",
            "ports": [{"containerPort": 80, "hostPort": 80}],
            "env": [{"name": "e", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
            "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2", "example.com/x": "1"}},
        }
    ],
    "initContainers": [{"name": "i", "image": "i", "restartPolicy": "Always"}],
    "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute"}],
    "volumes": [{"name": "v", "configMap": {"name": "m"}}],
    "topologySpreadConstraints": [
        {
            "maxSkew": 1,
            "topologyKey": "zone",
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"a": "b"}},
            "matchLabelKeys": ["a"],
        }
    ],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "a", "operator": "Exists"}]}]
            }
        }
    },
}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD_SPEC}
SELECTOR = {"matchLabels": {"a": "b"}}
OBJECTS: dict[str, dict[str, Any]] = {
    "Pod": {"spec": POD_SPEC},
    "Deployment": {"spec": {"replicas": 0, "selector": SELECTOR, "template": TEMPLATE}},
    "DaemonSet": {"spec": {"selector": SELECTOR, "template": TEMPLATE}},
    "Job": {"spec": {"template": {"spec": POD_SPEC | {"restartPolicy": "Never"}}}},
    "Service": {"spec": {"type": "NodePort", "ports": [{"port": 80, "targetPort": "web"}]}},
    "Node": {"spec": {"taints": [{"key": "k", "effect": "NoSchedule"}]}},
    "Secret": {"data": {"k": "eA=="}, "type": "Opaque"},
    "PodDisruptionBudget": {"spec": {"maxUnavailable": "10%", "selector": SELECTOR}},
    "PersistentVolumeClaim": {
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
    },
}
RESOURCES = {resource.kind: resource for resource in reversed(tuple(TABLE)) if resource.storage}
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**40),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(("", "a", "A b", "-1", "1.5", "\x00", "é" * 70)),
    st.sampled_from(([], {}, [None], [{}], {"": ""}, {"a": {}}, [[]])),
)


class Mutation:
    """Junk at the place that a path of numbers leads to in any object."""

    def __init__(self, path: list[int], junk: Any) -> None:
        self.path = path
        self.junk = junk

    def __repr__(self) -> str:
        return f"Mutation({self.path}, {self.junk!r})"

    def apply(self, obj: Any) -> None:
        """Change the object in place."""
        holder, key = obj, next(iter(obj))
        for step in self.path:
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = keys[step % len(keys)]
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner:
                break
            holder, key = (inner, next(iter(inner)) if isinstance(inner, dict) else 0)
        holder[key] = copy.deepcopy(self.junk)


mutations = st.builds(Mutation, st.lists(st.integers(0, 30), min_size=1, max_size=8), JUNK)


def ask(cluster: Cluster, verb: Verb, resource: Resource, body: Any, part: str = "") -> None:
    request = ApiRequest(
        verb=verb,
        resource=resource,
        user=ADMIN,
        namespace="default" if resource.namespaced else "",
        name="" if verb == "create" else "x",
        subresource=part,
        body=body,
        patch_type=MERGE_PATCH if verb == "patch" else "",
        options=Options(field_validation="Ignore"),
    )
    try:
        answer = msgspec.json.decode(cluster.request(request, 1.0).body)
    except StatusError as error:
        answer = error.status()
    assert answer.get("code", 0) < SERVER_ERROR, answer


@settings(max_examples=100)
@given(kind=st.sampled_from(sorted(OBJECTS)), mutated=st.lists(mutations, min_size=1, max_size=3))
def test_junk_in_an_object_is_refused_or_taken_and_never_breaks(
    kind: str, mutated: list[Mutation]
) -> None:
    cluster = Cluster(rng=random.Random(0), settings=ClusterSettings(node_groups=()), now=0.0)
    resource = RESOURCES[kind]
    whole = {"metadata": {"name": "x", "labels": {"a": "b"}}, **OBJECTS[kind]}
    junked = copy.deepcopy(whole)
    for mutation in mutated:
        mutation.apply(junked)
    ask(cluster, "create", resource, junked)
    ask(cluster, "create", resource, whole)
    ask(cluster, "update", resource, junked)
    ask(cluster, "patch", resource, junked)
    if "status" in resource.subresources:
        ask(cluster, "patch", resource, {"status": junked.get("spec")}, "status")
    cluster.advance(1.0)
