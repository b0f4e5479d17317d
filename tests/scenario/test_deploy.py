"""What deploy/ gives a scheduler is enough, and none of it is too much."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from cluster_story import MakeNodes, Plane, Story, delete_lease, make_priority_class
from controlplane import wait_until
from manifests import OVERLAYS, ROOT, rendered, rules
from scheduler_process import SchedulerProcess
from volume_story import Storage, using

RBAC = "rbac.authorization.k8s.io/v1"
ROLE = f"/apis/{RBAC}/clusterroles/my-scheduler"
LEASE_ROLE = f"/apis/{RBAC}/namespaces/kube-system/roles/my-scheduler-leases"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"
ACCOUNT = "/api/v1/namespaces/kube-system/serviceaccounts/my-scheduler"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
IMPORTANT = "deploy-important"
COMPLAINT = "^(warning|error): "
ELECTION = "--leader-elect"


def granted() -> set[tuple[str, str, str]]:
    """Return what the ClusterRole allows: group, resource, verb."""
    return {
        (group, resource, verb)
        for rule in rules()
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }


READ = sorted({(group, resource) for group, resource, verb in granted() if verb == "list"})
DONE = [  # what the scheduler does, each taken away in turn
    ("create", "", "pods/binding"),
    ("patch", "", "pods/status"),
    ("delete", "", "pods"),
    ("patch", "", "persistentvolumes"),
    ("patch", "", "persistentvolumeclaims"),
    ("create", "events.k8s.io", "events"),
    ("patch", "events.k8s.io", "events"),
    ("get", "coordination.k8s.io", "leases"),
    ("create", "coordination.k8s.io", "leases"),
    ("update", "coordination.k8s.io", "leases"),
]
FORBIDDEN = [
    ("get", "", "pods"),
    ("create", "", "pods"),
    ("update", "", "pods"),
    ("patch", "", "pods"),
    ("create", "", "bindings"),
    ("create", "", "pods/eviction"),
    ("create", "", "pods/exec"),
    ("get", "", "pods/log"),
    ("update", "", "pods/status"),
    ("update", "", "pods/ephemeralcontainers"),
    ("get", "", "secrets"),
    ("list", "", "secrets"),
    ("list", "", "configmaps"),
    ("get", "", "nodes"),
    ("update", "", "nodes"),
    ("patch", "", "nodes"),
    ("delete", "", "nodes"),
    ("patch", "", "nodes/status"),
    ("get", "", "nodes/proxy"),
    ("delete", "", "namespaces"),
    ("update", "", "persistentvolumes"),
    ("delete", "", "persistentvolumes"),
    ("delete", "", "persistentvolumeclaims"),
    ("create", "", "serviceaccounts/token"),
    ("impersonate", "", "users"),
    ("patch", "apps", "deployments"),
    ("delete", "policy", "poddisruptionbudgets"),
    ("delete", "coordination.k8s.io", "leases"),
    ("list", "coordination.k8s.io", "leases"),
    ("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    ("bind", "rbac.authorization.k8s.io", "clusterroles"),
    ("*", "*", "*"),
]


@pytest.fixture(scope="module")
def applied(control_plane: Plane) -> Iterator[None]:
    """Apply the overlay for high availability with kubectl, and take it away again."""
    overlay = ["-k", str(ROOT / "deploy/overlays/ha")]
    control_plane.kubectl("apply", "--dry-run=server", *overlay)
    control_plane.kubectl("apply", *overlay)
    make_priority_class(control_plane, IMPORTANT, 1000)
    yield
    control_plane.api.delete(f"/apis/scheduling.k8s.io/v1/priorityclasses/{IMPORTANT}")
    control_plane.kubectl("delete", "--wait=false", *overlay)


@pytest.fixture
def deployed(control_plane: Plane, applied: None) -> Iterator[None]:
    """Give the roles back what a test took away, and leave no Lease behind."""
    before = {path: control_plane.api.get(path)["rules"] for path in (ROLE, LEASE_ROLE)}
    yield applied
    for path, whole in before.items():
        control_plane.api.request("PUT", path, control_plane.api.get(path) | {"rules": whole})
    delete_lease(control_plane, "my-scheduler")


@pytest.fixture
def in_cluster(control_plane: Plane, deployed: None, tmp_path: Path) -> dict[str, str]:
    """The in-cluster configuration of a pod with the ServiceAccount."""
    del deployed
    wanted = {"spec": {"expirationSeconds": 3600}}
    token = control_plane.api.request("POST", f"{ACCOUNT}/token", wanted)["status"]["token"]
    (tmp_path / "token").write_text(token)
    (tmp_path / "ca.crt").write_bytes(control_plane.ca_file.read_bytes())
    (tmp_path / "namespace").write_text("kube-system")
    server = urlsplit(control_plane.url)
    return {
        "KUBERNETES_SERVICE_HOST": str(server.hostname),
        "KUBERNETES_SERVICE_PORT": str(server.port),
        "PILOTFISH_SERVICE_ACCOUNT": str(tmp_path),
        "KUBECONFIG": "",
        "HOME": str(tmp_path),
    }


def take_away(control_plane: Plane, verb: str, resources: list[tuple[str, str]]) -> None:
    """Take a verb on some resources out of the roles, and wait until that holds."""
    for path in (ROLE, LEASE_ROLE):
        role = control_plane.api.get(path)
        role["rules"] = [
            rule | {"resources": [resource], "verbs": left}
            for rule in role["rules"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            if (left := without(verb, rule) if (group, resource) in resources else rule["verbs"])
        ]
        control_plane.api.request("PUT", path, role)
    asked = {"namespace": "kube-system", "name": "my-scheduler"}

    def is_taken() -> bool:
        return not any(may(control_plane, verb, *one, **asked) for one in resources)

    wait_until(is_taken, "the new roles")


def without(verb: str, rule: dict[str, Any]) -> list[str]:
    return [one for one in rule["verbs"] if one != verb]


def may(
    plane: Plane, verb: str, group: str, resource: str, *, namespace: str = "", name: str = ""
) -> bool:
    """Ask as `kubectl auth can-i --as` does."""
    resource, _, subresource = resource.partition("/")
    attributes = {
        "verb": verb,
        "group": group,
        "resource": resource,
        "subresource": subresource,
        "namespace": namespace,
        "name": name,
    }
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": "system:serviceaccount:kube-system:my-scheduler",
            "resourceAttributes": {k: v for k, v in attributes.items() if v},
        },
    }
    answer = plane.api.request("POST", REVIEWS, review)
    return bool(answer["status"]["allowed"])


def use_everything(story: Story, storage: Storage, scheduler: SchedulerProcess) -> None:
    """Bind, fail, preempt, fail again, so that every permission is used; a complaint ends it."""

    def reach(what: str, is_reached: Callable[[], bool]) -> None:
        wait_until(lambda: is_reached() or scheduler.count(COMPLAINT), what)

    local = storage.make_class("WaitForFirstConsumer")
    (node,) = (node["metadata"]["name"] for node in story.api.items("/api/v1/nodes"))
    storage.make_volume("kept", local, node)
    storage.make_claim("kept", local)
    story.create(["with-volume"], cpu="10m", spec=using("kept"))
    reach("a bound volume", lambda: bool(story.node_of("with-volume")))
    storage.make_claim("made", storage.make_class("WaitForFirstConsumer", "csi.example.com"))
    story.create(["with-claim"], cpu="10m", spec=using("made"))
    annotations = "a claim whose node is chosen"
    reach(annotations, lambda: bool(storage.claim("made")["metadata"].get("annotations")))
    story.create(["low"], cpu="900m")
    reach("a bound pod", lambda: bool(story.node_of("low")))
    story.create(["huge"], cpu="64")
    reach("a failure", lambda: bool(story.events("huge", "FailedScheduling")))
    story.create(["high"], cpu="900m", spec={"priorityClassName": IMPORTANT})
    reach("a preemption", lambda: bool(story.node_of("high")))
    reach("a second failure", lambda: has_series(story))


def has_series(story: Story) -> bool:
    """Whether a failure that was seen twice is counted."""
    return any(event.get("series") for event in story.events("huge", "FailedScheduling"))


def test_it_is_enough(
    control_plane: Plane,
    make_nodes: MakeNodes,
    namespace: str,
    storage: Storage,
    in_cluster: dict[str, str],
) -> None:
    """With a token of its ServiceAccount, as in a pod: all is done, and nothing is missed."""
    make_nodes(1, cpu="1")
    story = Story(control_plane, namespace)
    with SchedulerProcess(None, "--leader-elect", env=in_cluster) as scheduler:
        use_everything(story, storage, scheduler)
        storage.provision("made")
        story.wait_bound(["with-claim"])
        assert story.wait_condition("huge")["reason"] == "Unschedulable"
        assert story.events("high", "Scheduled")
        scheduler.stop()
    assert scheduler.count("^leading: the Lease kube-system/my-scheduler is ours$") == 1
    assert scheduler.lines[-1] == "released the Lease kube-system/my-scheduler"
    assert scheduler.count(COMPLAINT) == 0


@pytest.mark.parametrize(
    ("verb", "resources"),
    [
        ("list", [("", "nodes")]),
        ("list", [("", "pods")]),
        ("list", [one for one in READ if one not in (("", "nodes"), ("", "pods"))]),
        ("watch", READ),
    ],
)
def test_each_kind_that_may_not_be_read_is_missed(
    control_plane: Plane,
    in_cluster: dict[str, str],
    verb: str,
    resources: list[tuple[str, str]],
) -> None:
    take_away(control_plane, verb, resources)
    with SchedulerProcess(None, env=in_cluster) as scheduler:
        for _, resource in resources:
            scheduler.wait_for(f'{COMPLAINT}.*cannot {verb} resource "{resource}"')


@pytest.mark.parametrize(("verb", "group", "resource"), DONE)
def test_each_deed_that_is_forbidden_is_missed(
    control_plane: Plane,
    make_nodes: MakeNodes,
    namespace: str,
    storage: Storage,
    in_cluster: dict[str, str],
    verb: str,
    group: str,
    resource: str,
) -> None:
    make_nodes(1, cpu="1")
    take_away(control_plane, verb, [(group, resource)])
    with SchedulerProcess(None, "--leader-elect", env=in_cluster) as scheduler:
        if resource != "leases":
            use_everything(Story(control_plane, namespace), storage, scheduler)
        scheduler.wait_for(
            f'{COMPLAINT}.*(cannot {verb} resource "{resource}"|{verb} on {resource} is forbidden)'
        )


def test_every_permission_is_taken_away_by_one_of_these_tests(control_plane: Plane) -> None:
    """A rule that comes into deploy/ without a test that needs it fails here."""
    tried = {(verb, *one) for verb in ("list", "watch") for one in READ} | set(DONE)
    leases = {("coordination.k8s.io", "leases", verb) for verb in ("create", "get", "update")}
    tried_here = {(group, resource, verb) for verb, group, resource in tried}
    assert control_plane.url
    assert granted() | leases == tried_here


@pytest.mark.parametrize(("verb", "group", "resource"), FORBIDDEN)
def test_it_is_not_too_much(
    control_plane: Plane, deployed: None, verb: str, group: str, resource: str
) -> None:
    del deployed
    assert not may(control_plane, verb, group, resource, namespace="kube-system")


def test_only_its_own_lease_can_be_renewed(control_plane: Plane, deployed: None) -> None:
    del deployed
    group, resource, space = "coordination.k8s.io", "leases", "kube-system"
    names = {
        name: may(control_plane, "update", group, resource, namespace=space, name=name)
        for name in ("my-scheduler", "kube-scheduler")
    }
    assert names == {"my-scheduler": True, "kube-scheduler": False}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_server_takes_an_overlay_as_it_is(control_plane: Plane, overlay: str) -> None:
    """Also as pods: the restricted standard of Pod Security has nothing against them."""
    control_plane.kubectl("apply", "--dry-run=server", "-k", str(ROOT / "deploy" / overlay))
    (deployment,) = [one for one in rendered(overlay) if one["kind"] == "Deployment"]
    space = f"restricted-{overlay.rpartition('/')[2]}"
    control_plane.create_namespace(space)
    label = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    control_plane.api.patch(f"/api/v1/namespaces/{space}", label)
    spec = deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"}
    metadata = {"name": "restricted", "namespace": space}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    control_plane.api.create(pod)
    control_plane.api.delete(f"/api/v1/namespaces/{space}")
