from typing import Any

import msgspec
import pytest

from kubelet_story import Story
from pilotfish.api.quantity import Quantity
from pilotfish.cluster.errors import StatusError
from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.requests import SYSTEM, ApiRequest, Options
from pilotfish.cluster.resources import TABLE


def ask(story: Story, plural: str, name: str = "", labels: str = "") -> dict[str, Any]:
    resource = TABLE.get("metrics.k8s.io", "v1beta1", plural)
    assert resource is not None
    request = ApiRequest(
        verb="get" if name else "list",
        resource=resource,
        user=SYSTEM,
        namespace="default" if plural == "pods" else "",
        name=name,
        options=Options(label_selector=labels),
    )
    body: dict[str, Any] = msgspec.json.decode(story.kubelets.metrics(request, story.now).body)
    return body


def milli_cpu(usage: dict[str, str]) -> int:
    return Quantity.parse(usage["cpu"]).milli_value()


def test_running_pod_uses_a_share_of_what_it_requests() -> None:
    story = Story()
    requests = {"requests": {"cpu": "1", "memory": "1Gi"}}
    story.create("web", containers=[{"resources": requests}])
    assert ask(story, "pods")["items"] == [], "it does not run yet"
    story.run(10)
    item = ask(story, "pods", "web")
    assert (item["kind"], item["metadata"]["name"]) == ("PodMetrics", "web")
    usage = item["containers"][0]["usage"]
    assert 150 < milli_cpu(usage) < 900
    assert 0.3 < Quantity.parse(usage["memory"]).value() / 2**30 < 1


def test_usage_is_told_by_annotation_and_changes_with_time() -> None:
    story = Story()
    containers = [{"resources": {"requests": {"cpu": "1"}}}]
    story.create("web", containers=containers, annotations={keys.CPU: "0.5"})
    story.run(10)
    seen = set()
    for _ in range(6):
        story.run(10)
        seen.add(milli_cpu(ask(story, "pods", "web")["containers"][0]["usage"]))
    assert len(seen) > 1
    assert all(450 <= used <= 550 for used in seen)


def test_usage_stays_below_the_limit() -> None:
    story = Story()
    resources = {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}
    story.create("hot", containers=[{"resources": resources}], annotations={keys.CPU: "7"})
    story.run(10)
    assert milli_cpu(ask(story, "pods", "hot")["containers"][0]["usage"]) == 1000


def test_node_uses_what_its_pods_use_and_a_little_more() -> None:
    story = Story()
    idle = milli_cpu(ask(story, "nodes", "node-1")["usage"])
    containers = [{"resources": {"requests": {"cpu": "2"}}}]
    story.create("web", containers=containers)
    story.run(10)
    used = milli_cpu(ask(story, "pods", "web")["containers"][0]["usage"])
    assert milli_cpu(ask(story, "nodes", "node-1")["usage"]) == pytest.approx(idle + used, abs=2)
    assert milli_cpu(ask(story, "nodes", "node-2")["usage"]) == idle


def test_list_is_selected_by_labels() -> None:
    story = Story()
    story.create("a", metadata={"labels": {"app": "x"}})
    story.create("b", metadata={"labels": {"app": "y"}})
    story.run(10)
    answer = ask(story, "pods", labels="app=x")
    assert answer["kind"] == "PodMetricsList"
    assert [item["metadata"]["name"] for item in answer["items"]] == ["a"]


def test_silent_node_has_no_metrics() -> None:
    story = Story()
    story.create("web")
    story.run(10)
    story.annotate_node("node-1", keys.FAULT, "Silent")
    assert [item["metadata"]["name"] for item in ask(story, "nodes")["items"]] == ["node-2"]
    assert ask(story, "pods")["items"] == []


def test_unknown_pod_has_no_metrics() -> None:
    with pytest.raises(StatusError, match="not found"):
        ask(Story(), "pods", "none")
