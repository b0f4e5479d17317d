"""The metrics of pilotfish beside those of kube-scheduler, on the same control plane."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families

from cluster_story import Story
from controlplane import ControlPlane, node_manifest, wait_until
from dialogue import Dialogue, bound_answer
from make import node, pod
from pilotfish.runtime.metrics import ABOUT, Metrics

pytestmark = pytest.mark.controlplane

ONLY_HERE = {"leader_election_master_status"}  # the control plane runs without a lease
LABELS = [
    ("scheduler_pending_pods", "queue"),
    ("scheduler_cache_size", "type"),
    ("scheduler_framework_extension_point_duration_seconds", "extension_point"),
    ("scheduler_framework_extension_point_duration_seconds", "status"),
    ("scheduler_schedule_attempts", "result"),
    ("scheduler_pod_scheduling_sli_duration_seconds", "attempts"),
    ("scheduler_queue_incoming_pods", "event"),
    ("scheduler_unschedulable_pods", "plugin"),
]


@pytest.fixture(scope="module")
def upstream(control_plane: ControlPlane, ours: dict[str, Metric]) -> Iterator[dict[str, Metric]]:
    """What kube-scheduler serves after it placed one pod and failed with another.

    It records some of that after the bind, and some once a second.
    """
    control_plane.create([node_manifest("metrics-node", cpu="1")])
    control_plane.wait_for_nodes(1)
    control_plane.create_namespace("metrics")
    control_plane.start_scheduler()
    story = Story(control_plane, "metrics")
    story.create(["low"], scheduler_name="default-scheduler", cpu="100m")
    story.create(["huge"], scheduler_name="default-scheduler", cpu="64")
    story.wait_bound(["low"])
    story.wait_condition("huge")

    def is_recorded() -> bool:
        found = families(scrape(control_plane.scheduler_url))
        return all(values(ours, *each) <= values(found, *each) for each in LABELS)

    with suppress(TimeoutError):  # the tests say what is missing
        wait_until(is_recorded, "the values that pilotfish has")
    yield families(scrape(control_plane.scheduler_url))
    control_plane.stop_scheduler()
    control_plane.api.delete("/api/v1/namespaces/metrics")
    control_plane.api.delete("/api/v1/nodes/metrics-node")


@pytest.fixture(scope="module")
def ours() -> dict[str, Metric]:
    """What pilotfish serves after the same."""
    metrics = Metrics("https://127.0.0.1:6443", lambda: 0.0)
    story = Dialogue(node("n1", cpu="1"), timer=metrics)
    story.tell(bound_answer(story.bind(pod("low", cpu="100m"))))
    story.apply(pod("huge", cpu="64"))
    story.decide()
    metrics.requested("GET", "200", 0.1)
    return {family.name: family for family in metrics.families(story.scheduler)}


def scrape(server: str) -> str:
    """Read /metrics of a server with a certificate of its own making."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(urlsplit(server).netloc, context=context, timeout=30)
    with closing(connection):
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()


def families(text: str) -> dict[str, Metric]:
    return {family.name: family for family in text_string_to_metric_families(text)}


def labels(family: Metric) -> set[str]:
    return {label for sample in family.samples for label in sample.labels} - {"le"}


def bounds(family: Metric) -> set[str]:
    return {sample.labels["le"] for sample in family.samples if "le" in sample.labels}


def values(found: dict[str, Metric], name: str, label: str) -> set[str]:
    return {sample.labels[label] for sample in found[name].samples} if name in found else set()


@pytest.mark.parametrize("name", sorted(ABOUT.keys() - ONLY_HERE))
def test_a_metric_is_what_kube_scheduler_means_by_its_name(
    upstream: dict[str, Metric], ours: dict[str, Metric], name: str
) -> None:
    theirs, mine = (found[name.removesuffix("_total")] for found in (upstream, ours))
    assert (mine.type, labels(mine)) == (theirs.type, labels(theirs))
    assert bounds(mine) == bounds(theirs)
    assert theirs.documentation
    assert mine.documentation


@pytest.mark.parametrize(("name", "label"), LABELS)
def test_a_label_has_the_values_that_it_has_in_kube_scheduler(
    upstream: dict[str, Metric], ours: dict[str, Metric], name: str, label: str
) -> None:
    """Every value of ours must be one of theirs; theirs may be more."""
    theirs, mine = (values(found, name, label) for found in (upstream, ours))
    assert mine
    assert mine <= theirs
