"""Hypothesis strategies for JSON documents, and for strategic merge patches of a Deployment."""

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]

NAMES = st.sampled_from("abcd")
TEXT = st.sampled_from(["", "x", "y", "1"])
SCALARS = st.one_of(TEXT, st.integers(-2, 3), st.booleans(), st.sampled_from([0.5, 1.0]))


def documents(*, nulls: bool = False, lists: bool = True) -> st.SearchStrategy[Json]:
    """Make small JSON objects with few keys, so that two of them have much in common."""
    leaves = st.one_of(SCALARS, st.none()) if nulls else SCALARS

    def nest(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        objects = st.dictionaries(NAMES, inner, max_size=3)
        return st.one_of(objects, st.lists(inner, max_size=3)) if lists else objects

    return st.dictionaries(NAMES, st.recursive(leaves, nest, max_leaves=8), max_size=4)


def maps() -> st.SearchStrategy[Json]:
    """Make a patch of labels or the like: values and nulls."""
    return st.dictionaries(NAMES, st.one_of(TEXT, st.none()), max_size=3)


def named(fields: Json, *, deletes: bool = True) -> st.SearchStrategy[list[Json]]:
    """Make a patch of a list whose merge key is the name."""
    changes = st.fixed_dictionaries({"name": NAMES}, optional=fields)
    gone = st.builds(lambda name: {"name": name, "$patch": "delete"}, NAMES)
    elements = st.one_of(changes, changes, gone) if deletes else changes
    return st.lists(elements, max_size=3, unique_by=lambda element: str(element["name"]))


def orders() -> st.SearchStrategy[list[Json]]:
    """Make the order that a patch asks for."""
    names = st.lists(NAMES, unique=True, max_size=4)
    return names.map(lambda found: [{"name": name} for name in found])


ENVIRONMENT = named({"value": TEXT})
CONTAINERS = named(
    {
        "image": st.sampled_from(["i", "j:1", "k:latest"]),
        "env": ENVIRONMENT,
        "args": st.lists(TEXT, max_size=2),
        "ports": st.lists(
            st.builds(
                lambda port, name: {"containerPort": port, "name": name},
                st.sampled_from([80, 81, 82]),
                st.sampled_from(["p", "q", "r"]),
            ),
            max_size=2,
            unique_by=lambda port: str(port["containerPort"]),
        ),
        "$setElementOrder/env": orders(),
        "readinessProbe": st.sampled_from([None, {"periodSeconds": 7}, {"$patch": "delete"}]),
    }
)
VOLUMES = named(
    {
        "emptyDir": st.sampled_from([{}, {"medium": "Memory"}, None]),
        "configMap": st.sampled_from([{"name": "m"}, None, {"$patch": "replace", "name": "n"}]),
        "$retainKeys": st.sampled_from([["name", "emptyDir"], ["name", "configMap"]]),
    }
)
FINALIZERS = st.lists(st.sampled_from(["a/x", "a/y", "a/z"]), unique=True, max_size=3)
POD_SPECS = st.fixed_dictionaries(
    {},
    optional={
        "containers": CONTAINERS,
        "$setElementOrder/containers": orders(),
        "volumes": VOLUMES,
        "$setElementOrder/volumes": orders(),
        "nodeSelector": maps(),
        "tolerations": st.lists(
            st.sampled_from([{"operator": "Exists"}, {"key": "k"}]), max_size=2
        ),
        "terminationGracePeriodSeconds": st.sampled_from([None, 5, 7.0, "x"]),
        "unknown": TEXT,
    },
)


def _has_one_outcome(metadata: Json) -> bool:
    """Leave out what Go's random order of maps decides: adding to a list and deleting from it."""
    return "$deleteFromPrimitiveList/finalizers" not in metadata or "finalizers" not in metadata


DEPLOYMENT_PATCHES = st.fixed_dictionaries(
    {},
    optional={
        "metadata": st.fixed_dictionaries(
            {},
            optional={
                "annotations": maps(),
                "finalizers": FINALIZERS,
                "$setElementOrder/finalizers": FINALIZERS,
                "$deleteFromPrimitiveList/finalizers": FINALIZERS,
            },
        ).filter(_has_one_outcome),
        "spec": st.fixed_dictionaries(
            {},
            optional={
                "replicas": st.sampled_from([None, 3, 2.0]),
                "strategy": st.sampled_from(
                    [
                        {"$retainKeys": ["type"], "type": "Recreate"},
                        {"type": "Recreate"},
                        {"rollingUpdate": {"maxSurge": 2}},
                        {"rollingUpdate": None},
                    ]
                ),
                "template": st.fixed_dictionaries({}, optional={"spec": POD_SPECS}),
            },
        ),
    },
)
DEPLOYMENT: Json = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "patched",
        "annotations": {"a": "x", "b": "y"},
        "finalizers": ["a/x", "a/y"],
    },
    "spec": {
        "paused": True,  # so that a real controller leaves it alone
        "selector": {"matchLabels": {"app": "x"}},
        "template": {
            "metadata": {"labels": {"app": "x"}},
            "spec": {
                "containers": [
                    {
                        "name": "b",
                        "image": "i",
                        "args": ["1", "2"],
                        "env": [{"name": name, "value": "0"} for name in "cab"],
                        "ports": [{"containerPort": 81}, {"containerPort": 80}],
                        "readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 3},
                    },
                    {"name": "a", "image": "i"},
                    {"name": "d", "image": "i"},
                ],
                "volumes": [
                    {"name": "c", "emptyDir": {}},
                    {"name": "a", "configMap": {"name": "m", "optional": True}},
                ],
                "nodeSelector": {"a": "x", "c": "1"},
                "tolerations": [{"key": "z", "operator": "Exists"}],
            },
        },
    },
}
