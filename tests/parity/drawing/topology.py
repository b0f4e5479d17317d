"""Wishes about where a pod's likes are: spread constraints and pod affinity."""

from __future__ import annotations

from typing import Final

from parity.drawing.draw import NAMESPACES, TOPOLOGY_KEYS, Draw, Manifest

LABEL_KEYS: Final = ("pod-template-hash", "tier", "absent")
REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"


def spread(draw: Draw, pod: Manifest) -> None:
    """Wish to be spread; the API server refuses a key twice with the same action."""
    drawn = {}
    for _ in range(draw.one((1, 1, 2, 3))):
        constraint = _constraint(draw)
        drawn[constraint["topologyKey"], constraint["whenUnsatisfiable"]] = constraint
    pod["spec"]["topologySpreadConstraints"] = list(drawn.values())


def _constraint(draw: Draw) -> Manifest:
    action = draw.one(("DoNotSchedule", "ScheduleAnyway"))
    constraint: Manifest = {
        "maxSkew": draw.one((1, 1, 1, 2, 3)),
        "topologyKey": draw.one(TOPOLOGY_KEYS),
        "whenUnsatisfiable": action,
    }
    if draw.chance(0.92):
        constraint["labelSelector"] = draw.selector()
        if draw.chance(0.25):
            keys = _free_keys(draw, constraint["labelSelector"])
            constraint |= {"matchLabelKeys": keys} if keys else {}
    if action == "DoNotSchedule" and draw.chance(0.25):
        constraint["minDomains"] = draw.between(1, 5)
    if draw.chance(0.3):
        constraint["nodeAffinityPolicy"] = draw.one(("Honor", "Ignore"))
    if draw.chance(0.3):
        constraint["nodeTaintsPolicy"] = draw.one(("Honor", "Ignore"))
    return constraint


def pod_affinity(draw: Draw, pod: Manifest) -> None:
    """Wish to be near some pods and away from others."""
    affinity = pod["spec"].setdefault("affinity", {})
    for kind in draw.one(
        (("podAffinity",), ("podAntiAffinity",), ("podAffinity", "podAntiAffinity"))
    ):
        wish: Manifest = {}
        if draw.chance(0.6):
            wish[REQUIRED] = [_term(draw) for _ in range(draw.one((1, 1, 1, 2)))]
        if draw.chance(0.6):
            wish[PREFERRED] = [
                {"weight": draw.between(1, 100), "podAffinityTerm": _term(draw)}
                for _ in range(draw.between(1, 2))
            ]
        affinity[kind] = wish


def _term(draw: Draw) -> Manifest:
    term: Manifest = {"topologyKey": draw.one(TOPOLOGY_KEYS)}
    if draw.chance(0.93):
        term["labelSelector"] = draw.selector()
        if draw.chance(0.25):
            keys = _free_keys(draw, term["labelSelector"])
            name = draw.one(("matchLabelKeys", "mismatchLabelKeys"))
            term |= {name: keys} if keys else {}
    if draw.chance(0.3):
        term["namespaces"] = draw.some(NAMESPACES, 1, 2)
    if draw.chance(0.3):
        term["namespaceSelector"] = draw.one(
            (
                {},
                {"matchLabels": {"team": "red"}},
                {"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]},
                {"matchLabels": {"kubernetes.io/metadata.name": "ns-a"}},
            )
        )
    return term


def _free_keys(draw: Draw, selector: Manifest) -> list[str]:
    """Draw label keys that the selector does not name: both together are refused."""
    named = {expression["key"] for expression in selector.get("matchExpressions", ())}
    named |= selector.get("matchLabels", {}).keys()
    return draw.some([key for key in LABEL_KEYS if key not in named], 1, 2)
