"""The kinds that are served, and how short it is to declare another."""

from __future__ import annotations

import pytest

from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.registry.field_labels import check_field_label
from pilotfish.cluster.resources import (
    CREATE_ONLY,
    READ_ONLY,
    RESOURCES,
    TABLE,
    Resource,
    ResourceTable,
    field,
    resource,
)
from pilotfish.cluster.store import Store
from pilotfish.cluster.subresources import SUBRESOURCES

ONLY_METADATA = 'is not a known field selector: only "metadata.name", "metadata.namespace"'
KINDS = """
    v1: Binding ConfigMap Event Namespace Node PersistentVolumeClaim PersistentVolume Pod
        ReplicationController Secret ServiceAccount Service
    apps/v1: ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet
    events.k8s.io/v1: Event
    authentication.k8s.io/v1: SelfSubjectReview TokenReview
    authorization.k8s.io/v1: LocalSubjectAccessReview SelfSubjectAccessReview
        SelfSubjectRulesReview SubjectAccessReview
    batch/v1: Job
    policy/v1: PodDisruptionBudget
    rbac.authorization.k8s.io/v1: ClusterRoleBinding ClusterRole RoleBinding Role
    storage.k8s.io/v1: CSIDriver CSINode CSIStorageCapacity StorageClass VolumeAttachment
    scheduling.k8s.io/v1: PriorityClass
    coordination.k8s.io/v1: Lease
    node.k8s.io/v1: RuntimeClass
    resource.k8s.io/v1: DeviceClass ResourceClaim ResourceClaimTemplate ResourceSlice
    metrics.k8s.io/v1beta1: NodeMetrics PodMetrics
"""


def of(api_version: str, kind: str) -> Resource:
    found = TABLE.of_kind(api_version, kind)
    assert found is not None
    return found


def test_the_kinds_that_schedulers_and_their_users_touch_are_served() -> None:
    wanted: dict[str, list[str]] = {}
    for word in KINDS.split():
        if word.endswith(":"):
            kinds = wanted.setdefault(word.removesuffix(":"), [])
        else:
            kinds.append(word)
    served: dict[str, list[str]] = {}
    for each in TABLE:
        served.setdefault(each.api_version, []).append(each.kind)
    assert served == wanted


def test_a_resource_is_found_by_path_and_by_kind() -> None:
    deployments = of("apps/v1", "Deployment")
    assert TABLE.get("apps", "v1", "deployments") is deployments
    assert (deployments.list_kind, deployments.qualified) == ("DeploymentList", "deployments.apps")
    assert (deployments.singular, deployments.short_names) == ("deployment", ("deploy",))
    assert TABLE.get("apps", "v1", "pods") is None
    assert TABLE.of_kind("v1", "Deployment") is None


def test_both_groups_of_events_share_their_storage_and_nothing_else_does() -> None:
    assert of("v1", "Event").storage == of("events.k8s.io/v1", "Event").storage == "events"
    storages = [each.storage for each in RESOURCES if each.storage and each.kind != "Event"]
    assert len(storages) == len(set(storages))


def test_what_is_answered_but_not_kept_has_no_storage() -> None:
    computed = {each.kind for each in RESOURCES if each.verbs in (CREATE_ONLY, READ_ONLY)}
    assert computed == {each.kind for each in RESOURCES if not each.storage}
    assert "SelfSubjectAccessReview" in computed


def test_discovery_lists_group_versions_once_and_core_first() -> None:
    versions = TABLE.group_versions()
    assert versions[:2] == (("", "v1"), ("apps", "v1"))
    assert len(versions) == len(set(versions))
    plurals = [each.plural for each in TABLE.in_version("storage.k8s.io", "v1")]
    assert plurals == sorted(plurals)
    assert len(plurals) == 5


def test_every_declared_subresource_is_described() -> None:
    assert {name for each in RESOURCES for name in each.subresources} == set(SUBRESOURCES)


def test_a_further_kind_is_one_declaration() -> None:
    ingress = resource(
        "networking.k8s.io/v1",
        "Ingress",
        "ingresses",
        "ing",
        subresources=("status",),
        fields=(field("spec.className", default="none"),),
    )
    table = ResourceTable((*RESOURCES, ingress))
    assert table.get("networking.k8s.io", "v1", "ingresses") is ingress
    store = Store(selectable=table.selectable_fields)
    stored = store.put(ingress.storage, {"metadata": {"name": "a", "namespace": "b"}})
    assert stored.selectable[table.column(ingress, "spec.className")] == "none"
    with pytest.raises(
        LookupError, match=r"ingresses.networking.k8s.io cannot be selected by spec.x"
    ):
        table.column(ingress, "spec.x")


@pytest.mark.parametrize(
    ("api_version", "kind", "label"),
    [
        ("v1", "ConfigMap", "metadata.namespace"),
        ("v1", "Pod", "spec.nodeName"),
        ("v1", "Pod", "metadata.namespace"),
        ("v1", "Node", "spec.unschedulable"),
        ("v1", "Event", "involvedObject.name"),
        ("events.k8s.io/v1", "Event", "regarding.name"),
        ("storage.k8s.io/v1", "CSINode", "metadata.namespace"),
    ],
)
def test_a_selectable_field_may_be_named(api_version: str, kind: str, label: str) -> None:
    check_field_label(of(api_version, kind), label)


@pytest.mark.parametrize(
    ("api_version", "kind", "label", "message"),
    [
        (
            "v1",
            "ConfigMap",
            "spec.foo",
            f'"spec.foo" {ONLY_METADATA}',
        ),
        (
            "apps/v1",
            "ReplicaSet",
            "status.replicas",
            f'"status.replicas" {ONLY_METADATA}',
        ),
        ("v1", "Pod", "spec.foo", "field label not supported: spec.foo"),
        ("v1", "Node", "metadata.namespace", "field label not supported: metadata.namespace"),
        ("events.k8s.io/v1", "Event", "source", "field label not supported: source"),
        ("batch/v1", "Job", "a", 'field label "a" not supported for Job'),
        (
            "resource.k8s.io/v1",
            "ResourceSlice",
            "spec.foo",
            "field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: spec.foo",
        ),
    ],
)
def test_another_field_is_refused_in_upstreams_words(
    api_version: str, kind: str, label: str, message: str
) -> None:
    with pytest.raises(StatusError) as refused:
        check_field_label(of(api_version, kind), label)
    assert (refused.value.code, refused.value.message) == (400, message)
