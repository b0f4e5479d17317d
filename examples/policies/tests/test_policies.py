"""One test a policy: the real scheduler decides."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from apart_together import ApartTogether
from bin_packing import BinPacking
from energy_saving import EnergySaving
from fewest_pods import FewestPods
from least_loaded import LeastLoaded
from lowest_cost import LowestCost
from only_prod import OnlyProd
from pilotfish.runtime.policies import load_policy, shipped_policies
from pilotfish.testing import decide, node, pod
from sla_qos import SlaQos
from spread_by_app import SpreadByApp
from topology_performance import TopologyPerformance

FILES = sorted(Path(__file__).parents[1].glob("*.py"))
LINES = 25


def test_fewest_pods_takes_the_node_with_fewer() -> None:
    pods = [pod("a", node_name="n1"), pod("new")]
    decided = decide(FewestPods, pods, [node("n1"), node("n2")], only_policy=True)
    assert decided["new"].node_name == "n2"


def test_only_prod_waits_for_a_node_of_prod() -> None:
    nodes = [node("n1", labels={"env": "test"}), node("n2")]
    waiting = decide(OnlyProd, [pod("new")], nodes)["new"]
    assert "2 node(s) were not labelled env=prod" in waiting.message
    nodes.append(node("n3", labels={"env": "prod"}))
    assert decide(OnlyProd, [pod("new")], nodes)["new"].node_name == "n3"


def test_spread_by_app_counts_pods_of_the_same_app_only() -> None:
    web, db = {"app": "web"}, {"app": "db"}
    others = [pod(f"db-{i}", labels=db, node_name="n2") for i in range(3)]
    pods = [pod("web-1", labels=web, node_name="n1"), *others, pod("web-2", labels=web)]
    decided = decide(SpreadByApp, pods, [node("n1"), node("n2")], only_policy=True)
    assert decided["web-2"].node_name == "n2"


def test_least_loaded_goes_by_requests_and_by_usage_where_it_is_known() -> None:
    nodes = [node("n1", cpu="4"), node("n2", cpu="4")]
    pods = [pod("old", cpu="1", node_name="n1"), pod("new")]
    assert decide(LeastLoaded, pods, nodes, only_policy=True)["new"].node_name == "n2"
    usage = {"n1": {"cpu": "100m", "memory": "1Gi"}, "n2": {"cpu": "3900m", "memory": "1Gi"}}
    decided = decide(LeastLoaded, pods, nodes, only_policy=True, usage=usage)
    assert decided["new"].node_name == "n1"


def test_bin_packing_fills_the_fullest_node_with_room() -> None:
    nodes = [node("n1", cpu="4"), node("n2", cpu="4"), node("n3", cpu="4")]
    pods = [pod("a", cpu="3500m", node_name="n1"), pod("b", cpu="2", node_name="n2")]
    decided = decide(BinPacking, [*pods, pod("new", cpu="1")], nodes, only_policy=True)
    assert decided["new"].node_name == "n2"


def test_energy_saving_switches_on_the_thriftiest_node_and_fills_it() -> None:
    nodes = [node(f"n{watts}", labels={"power-idle-watts": str(watts)}) for watts in (90, 60, 120)]
    pods = [pod(f"p{i}", cpu="1") for i in range(4)]
    decided = decide(EnergySaving, pods, nodes, only_policy=True)
    assert {decision.node_name for decision in decided.values()} == {"n60"}


def test_topology_performance_weighs_zone_gpu_numa_and_latency() -> None:
    nodes = [
        node("far", zone="b", labels={"latency-ms": "15", "numa-nodes": "2"}),
        node("near", zone="a", labels={"latency-ms": "2", "numa-nodes": "2"}),
        node("gpu", zone="b", labels={"latency-ms": "9", "nvidia.com/gpu.product": "A100"}),
    ]
    wishes = {"near": {"prefer-zone": "a"}, "gpu": {"gpu-model": "A100"}}
    pods = [pod(f"to-{name}", labels=labels) for name, labels in wishes.items()]
    pods.append(pod("numa", cpu="3", labels={"numa": "single"}))
    decided = decide(TopologyPerformance, pods, nodes, only_policy=True)
    assert [decided[one.name].node_name for one in pods] == ["near", "gpu", "gpu"]


def test_apart_together_keeps_tenants_apart_and_teams_together() -> None:
    nodes = [node("n1"), node("n2"), node("n3")]
    pods = [
        pod("a", labels={"tenant": "red", "team": "shop"}, node_name="n1"),
        pod("b", labels={"tenant": "blue"}, node_name="n2"),
        pod("new", labels={"tenant": "red", "team": "shop"}),
    ]
    assert decide(ApartTogether, pods, nodes, only_policy=True)["new"].node_name == "n1"
    waiting = decide(ApartTogether, [*pods[:2], pod("c", labels={"tenant": "x"})], nodes[:2])["c"]
    assert "2 node(s) had another tenant" in waiting.message


def test_sla_qos_places_who_was_promised_more_first_and_guaranteed_pods_apart() -> None:
    guaranteed = {"qosClass": "Guaranteed"}
    pods = [
        pod("old", node_name="n1", status={"qosClass": "BestEffort"}),
        pod("plain"),
        pod("gold", labels={"sla": "gold"}, status=guaranteed),
        pod("urgent", priority=10, status=guaranteed),
    ]
    decided = decide(SlaQos, pods, [node("n1"), node("n2")], only_policy=True)
    assert list(decided) == ["urgent", "gold", "plain"]
    assert [one.node_name for one in decided.values()] == ["n2", "n2", "n1"]


def test_lowest_cost_takes_the_cheapest_node_with_room() -> None:
    nodes = [
        node("dear", labels={"price": "2.00"}),
        node("cheap", labels={"price": "0.10"}, cpu="1"),
        node("unknown"),
    ]
    decided = decide(LowestCost, [pod("a", cpu="1"), pod("b", cpu="1")], nodes, only_policy=True)
    assert [decided[name].node_name for name in "ab"] == ["cheap", "dear"]


def test_each_is_found_by_its_name() -> None:
    names = list(shipped_policies())
    assert len(names) == len(FILES)
    assert [load_policy(name).place.rpartition("/")[2].split(".")[0] for name in names] == [
        name.replace("-", "_") for name in names
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_policy_is_short_and_says_when_to_use_it(file: Path) -> None:
    assert len(file.read_text().splitlines()) < LINES
    told = importlib.import_module(file.stem).__doc__ or ""
    assert "Use it" in told
    assert file.name in (file.parent / "README.md").read_text()
