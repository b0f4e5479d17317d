"""Node selectors over all nodes at once, as `pilotfish.api.selectors` defines them for one node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from pilotfish.api.pod import Pod
from pilotfish.api.selectors import (
    NODE_NAME_FIELD,
    LabelSelector,
    LabelSelectorRequirement,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
)
from pilotfish.framework.arrays import Mask
from pilotfish.framework.node_table import NodeTable


def wanted_by(pod: Pod, nodes: NodeTable) -> Mask:
    """bool[N]: nodes that meet the pod's node selector and its required node affinity."""
    mask = has_labels(pod.spec.node_selector, nodes)
    required = required_terms(pod)
    return mask if required is None else mask & selected(required, nodes)


def required_terms(pod: Pod) -> NodeSelector | None:
    """Return the required node affinity of a pod, if it has one."""
    affinity = pod.spec.affinity
    if affinity is None or affinity.node_affinity is None:
        return None
    return affinity.node_affinity.required


def has_labels(labels: Mapping[str, str], nodes: NodeTable) -> Mask:
    """bool[N]: nodes that have all these labels."""
    mask = np.ones(len(nodes), dtype=np.bool_)
    for key, value in labels.items():
        column = nodes.label(key)
        mask &= column.mask_of(value)
    return mask


def selected(selector: NodeSelector, nodes: NodeTable) -> Mask:
    """bool[N]: nodes that meet one of the terms."""
    mask = np.zeros(len(nodes), dtype=np.bool_)
    for term in selector.node_selector_terms:
        mask |= meets(term, nodes)
    return mask


def meets(term: NodeSelectorTerm, nodes: NodeTable) -> Mask:
    """bool[N]: nodes that meet every condition of a term; without any, no node does."""
    if not term.match_expressions and not term.match_fields:
        return np.zeros(len(nodes), dtype=np.bool_)
    mask = np.ones(len(nodes), dtype=np.bool_)
    for requirement in term.match_expressions:
        mask &= label_meets(requirement, nodes)
    for requirement in term.match_fields:
        mask &= _name_meets(requirement, nodes)
    return mask


def labels_selected(selector: LabelSelector, nodes: NodeTable) -> Mask:
    """bool[N]: nodes whose labels meet every condition; the empty selector selects all."""
    mask = has_labels(selector.match_labels, nodes)
    for requirement in selector.match_expressions:
        mask &= label_meets(requirement, nodes)
    return mask


def label_meets(
    requirement: NodeSelectorRequirement | LabelSelectorRequirement, nodes: NodeTable
) -> Mask:
    """bool[N]: nodes whose label meets a condition."""
    key = requirement.key
    match requirement.operator:
        case "In":
            return has_any_of(key, requirement.values, nodes)
        case "NotIn":
            return ~has_any_of(key, requirement.values, nodes)
        case "Exists":
            return nodes.label(key).has_any()
        case "DoesNotExist":
            return ~nodes.label(key).has_any()
        case _:  # Gt, Lt: never met where the label is absent
            known = nodes.label(key).values
            return has_any_of(key, (v for v in known if requirement.matches({key: v})), nodes)


def has_any_of(key: str, values: Iterable[str], nodes: NodeTable) -> Mask:
    """bool[N]: nodes whose label has one of these values."""
    column = nodes.label(key)
    wanted = np.zeros(len(column.values) + 1, dtype=np.bool_)
    wanted[[i for i in map(column.id_of, values) if i >= 0]] = True
    return column.any_of(wanted)


def _name_meets(requirement: NodeSelectorRequirement, nodes: NodeTable) -> Mask:
    if requirement.key != NODE_NAME_FIELD:
        return np.full(len(nodes), requirement.matches_name(""), dtype=np.bool_)
    named = nodes.mask_of(frozenset(requirement.values))
    return named if requirement.operator == "In" else ~named
