"""TaintToleration rule by rule, as kubernetes v1.36.3 has it.

The plugin and its tests are pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go and
taint_toleration_test.go; what a toleration covers is said in api/core/v1/toleration.go.
"""

from __future__ import annotations

from typing import Final, Literal

import pytest
from msgspec.structs import replace

import make
from pilotfish.api.pod import Toleration
from pilotfish.plugins.taint_toleration import TaintToleration
from unit.plugins.deciding import cluster, rejected, scores

REASON: Final = [("node(s) had untolerated taint(s)", False)]
FILTER: Final = "TestTaintTolerationFilter"
COVERS: Final = "toleration.go ToleratesTaint"


@pytest.mark.parametrize(
    ("source", "taints", "tolerations", "fits"),
    [
        pytest.param(FILTER, [], [], True, id="a node without taints takes every pod"),
        pytest.param(FILTER, ["k=v:NoSchedule"], [], False, id="NoSchedule keeps pods off"),
        pytest.param(FILTER, ["k=v:NoExecute"], [], False, id="NoExecute keeps pods off as well"),
        pytest.param(FILTER, ["k=v:PreferNoSchedule"], [], True, id="PreferNoSchedule does not"),
        pytest.param(FILTER, ["k=v:NoSchedule"], ["k=v:NoSchedule"], True, id="all three equal"),
        pytest.param(FILTER, ["k=v:NoSchedule"], ["k=w:NoSchedule"], False, id="another value"),
        pytest.param(FILTER, ["k=v:NoSchedule"], ["l=v:NoSchedule"], False, id="another key"),
        pytest.param(FILTER, ["k=v:NoSchedule"], ["k=v:NoExecute"], False, id="another effect"),
        pytest.param(FILTER, ["k=v:NoSchedule"], ["k:NoSchedule"], True, id="Exists: any value"),
        pytest.param(FILTER, ["k=v:NoSchedule"], ["k=v:"], True, id="no effect: every effect"),
        pytest.param(COVERS, ["k=v:NoExecute"], [":NoExecute"], True, id="no key: every key"),
        pytest.param(COVERS, ["k=v:NoExecute"], [":NoSchedule"], False, id="but of that effect"),
        pytest.param(COVERS, ["k:NoSchedule"], ["k=:NoSchedule"], True, id="no value equals none"),
        pytest.param(
            FILTER,
            ["a=x:NoSchedule", "b=y:NoExecute"],
            ["a=x:", "b:NoExecute"],
            True,
            id="every hard taint needs a toleration",
        ),
        pytest.param(
            FILTER,
            ["a=x:NoSchedule", "b=y:NoExecute"],
            ["a=x:", "a:NoExecute"],
            False,
            id="one that has none is enough to keep the pod off",
        ),
        pytest.param(
            FILTER,
            ["a=x:PreferNoSchedule", "b=y:NoSchedule"],
            ["b=y:"],
            True,
            id="soft taints need none",
        ),
    ],
)
def test_pod_fits_where_it_tolerates_every_hard_taint(
    source: str, taints: list[str], tolerations: list[str], *, fits: bool
) -> None:
    asked = make.pod("p", tolerations=tolerations)
    found = rejected(TaintToleration(), asked, cluster([make.node("n", taints=taints)]))
    assert found == ({} if fits else {"n": REASON}), source


@pytest.mark.parametrize(("operator", "value"), [("Gt", "3"), ("Lt", "9")])
def test_comparing_tolerations_cover_nothing_while_their_gate_is_off(
    operator: Literal["Gt", "Lt"], value: str
) -> None:
    """TestTaintTolerationFilterWithFeatureGate."""
    comparing = Toleration(key="sla", operator=operator, value=value)
    asked = make.pod("p")
    asked = replace(asked, spec=replace(asked.spec, tolerations=(comparing,)))
    node = make.node("n", taints=["sla=5:NoSchedule"])
    assert rejected(TaintToleration(), asked, cluster([node])) == {"n": REASON}


@pytest.mark.parametrize(
    ("tolerations", "on_nodes", "expected"),
    [
        pytest.param([], [[], []], [100, 100], id="without soft taints all are best"),
        pytest.param(
            ["k=v:"],
            [["k=v:PreferNoSchedule"], ["k=w:PreferNoSchedule"]],
            [100, 0],
            id="a soft taint that is not tolerated counts",
        ),
        pytest.param(
            ["a:", "b:"],
            [[], ["a:PreferNoSchedule"], ["a:PreferNoSchedule", "b:PreferNoSchedule"]],
            [100, 100, 100],
            id="tolerated ones do not, however many",
        ),
        pytest.param(
            [],
            [[], ["a:PreferNoSchedule"], ["a:PreferNoSchedule", "b:PreferNoSchedule"]],
            [100, 50, 0],
            id="the more, the worse",
        ),
        pytest.param(
            ["a:NoSchedule"],
            [["a:PreferNoSchedule"], []],
            [0, 100],
            id="a toleration of a hard effect does not cover a soft taint",
        ),
        pytest.param(
            ["a:NoSchedule", "b:"],
            [["a:NoSchedule", "b:PreferNoSchedule"], ["c:PreferNoSchedule"]],
            [100, 0],
            id="hard taints do not count",
        ),
    ],
)
def test_nodes_with_fewer_soft_taints_are_better(
    tolerations: list[str], on_nodes: list[list[str]], expected: list[int]
) -> None:
    """TestTaintTolerationScore."""
    nodes = [make.node(f"n{i}", taints=taints) for i, taints in enumerate(on_nodes)]
    found = scores(TaintToleration(), make.pod("p", tolerations=tolerations), cluster(nodes))
    assert found == {f"n{i}": score for i, score in enumerate(expected)}
