"""Files that kube-scheduler refuses as well, each with where and why we refuse it."""

from __future__ import annotations

from typing import Any, Final

from config_text import configuration, disabled, enabled, of_args, of_plugins, of_profile

RATIO: Final = "RequestedToCapacityRatio"


def _strategy(**fields: Any) -> str:
    return of_args("NodeResourcesFit", scoringStrategy=fields)


def _shape(*points: tuple[int, int]) -> str:
    shape = [{"utilization": u, "score": s} for u, s in points]
    return _strategy(type=RATIO, requestedToCapacityRatio={"shape": shape})


def _constraint(**fields: Any) -> str:
    usual = {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
    constraints = [usual | fields]
    return of_args("PodTopologySpread", defaultingType="List", defaultConstraints=constraints)


def _added(affinity: str, *terms: dict[str, Any]) -> str:
    wishes = {
        "required": {
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}
        },
        "preferred": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {"weight": 1, "preference": term} for term in terms
            ]
        },
    }
    return of_args("NodeAffinity", addedAffinity=wishes[affinity])


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": values}]}


_ARGS = "profiles[0].pluginConfig[0].args"
_ADDED = f"{_ARGS}.addedAffinity"
_REQUIRED = f"{_ADDED}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms"
_PREFERRED = f"{_ADDED}.preferredDuringSchedulingIgnoredDuringExecution"
_FIT = f"{_ARGS}.scoringStrategy"
_SHAPE = f"{_FIT}.requestedToCapacityRatio.shape"

REFUSED: Final = [
    (configuration(paralelism=3), "paralelism", "did you mean 'parallelism'?"),
    (configuration(parallelism=0), "parallelism", "must be greater than 0"),
    (configuration(parallelism="16"), "parallelism", "expected int, got str"),
    (configuration(parallelism=2**31), "parallelism", "expected int <= 2147483647"),
    (configuration(percentageOfNodesToScore=101), "percentageOfNodesToScore", "between 0 and 100"),
    (configuration(podInitialBackoffSeconds=0), "podInitialBackoffSeconds", "greater than 0"),
    (
        configuration(podInitialBackoffSeconds=5, podMaxBackoffSeconds=4),
        "podMaxBackoffSeconds",
        "not be less than podInitialBackoffSeconds",
    ),
    (configuration(clientConnection={"burst": -1}), "clientConnection.burst", "negative"),
    (configuration(clientConnection={"QPS": 1}), "clientConnection.QPS", "did you mean 'qps'?"),
    (
        configuration(leaderElection={"leaseDuration": "10s"}),
        "leaderElection.leaseDuration",
        "greater than renewDeadline",
    ),
    (
        configuration(leaderElection={"retryPeriod": "-1s"}),
        "leaderElection.retryPeriod",
        "greater than 0",
    ),
    (
        configuration(leaderElection={"resourceLock": "endpoints"}),
        "leaderElection.resourceLock",
        '"leases"',
    ),
    (
        configuration(leaderElection={"retryPeriod": "soon"}),
        "leaderElection.retryPeriod",
        "write it as in 15s",
    ),
    (
        configuration(profiles=[{"schedulerName": "a"}, {}]),
        "profiles[1].schedulerName",
        "where there are several profiles",
    ),
    (
        configuration(profiles=[{"schedulerName": "a"}, {"schedulerName": "a"}]),
        "profiles[1].schedulerName",
        "profiles[0] as well",
    ),
    (
        configuration(
            profiles=[
                {"schedulerName": "a"},
                {"schedulerName": "b", "plugins": {"queueSort": enabled("PrioritySort")}},
            ]
        ),
        "profiles[1].plugins.queueSort",
        "the same in all profiles",
    ),
    (of_plugins(scor=enabled()), "profiles[0].plugins.scor", "did you mean 'score'?"),
    (
        of_plugins(score=enabled("NodeResourceFit")),
        "profiles[0].plugins.score.enabled[0].name",
        "did you mean 'NodeResourcesFit'?",
    ),
    (
        of_plugins(score=enabled("EBSLimits")),
        "profiles[0].plugins.score.enabled[0].name",
        "NodeVolumeLimits",
    ),
    (
        of_plugins(score=enabled("NodeName")),
        "profiles[0].plugins.score.enabled",
        "NodeName has no score",
    ),
    (
        of_plugins(multiPoint=enabled("NodeName", "NodeName")),
        "profiles[0].plugins.multiPoint.enabled",
        "NodeName is enabled twice",
    ),
    (
        of_plugins(queueSort=disabled("*")),
        "profiles[0].plugins.queueSort",
        "needs exactly one plugin; it has none",
    ),
    (of_plugins(bind=disabled("DefaultBinder")), "profiles[0].plugins.bind", "it has none"),
    (
        of_profile(pluginConfig=[{"name": "NodeAffinity"}, {"name": "NodeAffinity"}]),
        "profiles[0].pluginConfig[1].name",
        "has arguments already",
    ),
    (
        of_args("NodeAffinity", kind="NodeAfinityArgs"),
        f"{_ARGS}.kind",
        "must be NodeAffinityArgs",
    ),
    (of_args("DefaultPreemption", minCandidateNodesPercentage=101), _ARGS, "0 and 100"),
    (of_args("DefaultPreemption", minCandidateNodesAbsolute=-1), _ARGS, "negative"),
    (
        of_args("DefaultPreemption", minCandidateNodesPercentage=0, minCandidateNodesAbsolute=0),
        f"{_ARGS}.minCandidateNodesPercentage",
        "must not be 0",
    ),
    (of_args("DynamicResources", filterTimeout="-1s"), f"{_ARGS}.filterTimeout", "negative"),
    (of_args("DynamicResources", bindingTimeout="999ms"), f"{_ARGS}.bindingTimeout", "1s"),
    (of_args("InterPodAffinity", hardPodAffinityWeight=101), _ARGS, "0 and 100"),
    (of_args("InterPodAffinity", hardPodAffinityWeigh=1), _ARGS, "did you mean"),
    (
        of_args("NodeResourcesBalancedAllocation", resources=[{"name": "cpu", "weight": 2}]),
        f"{_ARGS}.resources[0].weight",
        "must be 1",
    ),
    (
        of_args("NodeResourcesBalancedAllocation", resources=[{"name": "cpu"}, {"name": "cpu"}]),
        f"{_ARGS}.resources[1].name",
        "twice",
    ),
    (of_args("NodeResourcesFit", ignoredResources=["a b"]), f"{_ARGS}.ignoredResources[0]", "name"),
    (
        of_args("NodeResourcesFit", ignoredResourceGroups=["a/b"]),
        f"{_ARGS}.ignoredResourceGroups[0]",
        "before the slash",
    ),
    (_strategy(type="MostAlocated"), f"{_FIT}.type", "did you mean 'MostAllocated'?"),
    (_strategy(resources=[]), f"{_FIT}.type", "no strategy ''"),
    (
        _strategy(type="MostAllocated", resources=[{"name": "cpu", "weight": 101}]),
        f"{_FIT}.resources[0].weight",
        "1 and 100",
    ),
    (_strategy(type=RATIO), f"{_FIT}.requestedToCapacityRatio", "is needed"),
    (
        _strategy(type="LeastAllocated", requestedToCapacityRatio={"shape": []}),
        f"{_FIT}.requestedToCapacityRatio",
        f"{RATIO} only",
    ),
    (_shape(), _SHAPE, "at least one point"),
    (_shape((0, 0), (0, 10)), f"{_SHAPE}[1].utilization", "greater than that before"),
    (_shape((101, 0)), f"{_SHAPE}[0].utilization", "0 and 100"),
    (_shape((1, 11)), f"{_SHAPE}[0].score", "0 and 10"),
    (of_args("PodTopologySpread", defaultingType="Lst"), f"{_ARGS}.defaultingType", "System or"),
    (_constraint(maxSkew=0), f"{_ARGS}.defaultConstraints[0].maxSkew", "greater than 0"),
    (_constraint(topologyKey="a b"), f"{_ARGS}.defaultConstraints[0].topologyKey", "label key"),
    (_constraint(whenUnsatisfiable="No"), f"{_ARGS}.defaultConstraints[0]", "invalid enum"),
    (_constraint(labelSelector={}), f"{_ARGS}.defaultConstraints[0].labelSelector", "left out"),
    (
        of_args(
            "PodTopologySpread",
            defaultConstraints=[
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule"}
            ],
        ),
        f"{_ARGS}.defaultingType",
        "must be List",
    ),
    (of_args("VolumeBinding", bindTimeoutSeconds=-1), f"{_ARGS}.bindTimeoutSeconds", "negative"),
    (of_args("VolumeBinding", shape=[]), f"{_ARGS}.shape", "alpha"),
    (
        of_args("NodeAffinity", addedAffinity={"requiredDuringScheduling": {}}),
        f"{_ARGS}.addedAffinity.requiredDuringScheduling",
        "did you mean 'requiredDuringSchedulingIgnoredDuringExecution'?",
    ),
    (
        _added("required", _expression("a", "Exists"), _expression("cores", "Gt", "many")),
        f"{_REQUIRED}[1].matchExpressions[0].values[0]",
        "'many' is no integer",
    ),
    (
        _added("required", _expression("a b", "Exists")),
        f"{_REQUIRED}[0].matchExpressions[0].key",
        "'a b' is no label key",
    ),
    (
        _added("preferred", _expression("zone", "NotIn", "a", "b c")),
        f"{_PREFERRED}[0].preference.matchExpressions[0].values[1]",
        "'b c' is no label value",
    ),
    (
        of_plugins(score=enabled(ImageLocality=-1)),
        "profiles[0].plugins.score.enabled[0].weight",
        "the weight of ImageLocality must not be negative",
    ),
]
"""The text of the file, the beginning of the path, a part of the reason."""
