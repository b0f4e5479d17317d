"""What the client is told about a pod that is accepted, or about a template of pods.

Source: kubernetes v1.36 pkg/api/pod/warnings.go, pkg/api/node/util.go. differs: what nothing in
    this cluster acts on (annotations of old, overlapping ports and paths) is passed over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pilotfish.api.quantity import Quantity
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.pod_containers import each_container
from pilotfish.cluster.validation.placement import PREFERRED, REQUIRED

NO_SELECTOR: Final = "a null labelSelector results in matching no pod"
NANO: Final = 10**9
IN_BYTES: Final = ("memory", "ephemeral-storage", "storage")
OLD_LABELS: Final = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": (
        'deprecated since v1.17; use "topology.kubernetes.io/region" instead'
    ),
    "failure-domain.beta.kubernetes.io/zone": (
        'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
    ),
    "beta.kubernetes.io/instance-type": (
        'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead'
    ),
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
"""Labels of nodes that have had their day, and what upstream says of them."""


def pod_warnings(spec: JsonObject, path: str) -> Iterator[str]:
    """Give what is odd about a pod's spec, or that of a template."""
    for key in spec.get("nodeSelector") or ():
        if key in OLD_LABELS:
            yield f"{path}.nodeSelector[{key}]: {OLD_LABELS[key]}"
    affinity = spec.get("affinity") or {}
    nodes, at = affinity.get("nodeAffinity") or {}, f"{path}.affinity.nodeAffinity"
    terms = (nodes.get(REQUIRED) or {}).get("nodeSelectorTerms") or ()
    for i, term in enumerate(terms):
        yield from node_term_warnings(term, f"{at}.{REQUIRED}.nodeSelectorTerms[{i}]")
    for i, weighted in enumerate(nodes.get(PREFERRED) or ()):
        preference = weighted.get("preference") or {}
        yield from node_term_warnings(preference, f"{at}.{PREFERRED}[{i}].preference")
    for i, constraint in enumerate(spec.get("topologySpreadConstraints") or ()):
        at, key = f"{path}.topologySpreadConstraints[{i}]", constraint.get("topologyKey", "")
        if key in OLD_LABELS:
            yield f"{at}.topologyKey: {key} is {OLD_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{at}.labelSelector: {NO_SELECTOR}"
    yield from _pull_secret_warnings(spec.get("imagePullSecrets"), f"{path}.imagePullSecrets")
    for container, at in each_container(spec, path):
        yield from _container_warnings(container, at)
    if spec.get("terminationGracePeriodSeconds", 0) < 0:
        field = f"{path}.terminationGracePeriodSeconds"
        yield f"{field}: must be >= 0; negative values are invalid and will be treated as 1"
    for kind in ("podAffinity", "podAntiAffinity"):
        yield from _pod_term_warnings(affinity.get(kind) or {}, f"{path}.affinity.{kind}")


def node_term_warnings(term: JsonObject, path: str) -> Iterator[str]:
    """Give what is odd about one term of a node selector."""
    for i, requirement in enumerate(term.get("matchExpressions") or ()):
        if (key := requirement.get("key", "")) in OLD_LABELS:
            yield f"{path}.matchExpressions[{i}].key: {key} is {OLD_LABELS[key]}"


def _pull_secret_warnings(secrets: list[JsonObject] | None, path: str) -> Iterator[str]:
    names = [secret.get("name", "") for secret in secrets or ()]
    for i, name in enumerate(names):
        if name in names[:i]:
            yield f'{path}[{i}].name: duplicate name "{name}"'
    for i, name in enumerate(names):
        if not name:
            yield f'{path}[{i}].name: invalid empty name ""'


def byte_warnings(amounts: Mapping[str, str] | None, path: str) -> Iterator[str]:
    """Give which amounts of bytes are no whole ones."""
    for name, text in (amounts or {}).items():
        if name in IN_BYTES and Quantity.parse(text).nano % NANO:
            yield f'{path}[{name}]: fractional byte value "{text}" is invalid, must be an integer'


def _container_warnings(container: JsonObject, path: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for kind in ("limits", "requests"):
        yield from byte_warnings(resources.get(kind), f"{path}.resources.{kind}")
    seen: set[str] = set()
    for i, variable in enumerate(container.get("env") or ()):
        name, value = variable.get("name", ""), variable.get("value", "")
        extends = f"$({name})" in value and value != f"$({name})" and "valueFrom" not in variable
        if name in seen and not extends:
            at = f"{path}.env[{i}]"
            told = f'hides previous definition of "{name}"'
            yield f"{at}: {told}, which may be dropped when using apply"
        seen.add(name)


def _pod_term_warnings(affinity: JsonObject, path: str) -> Iterator[str]:
    for i, term in enumerate(affinity.get(REQUIRED) or ()):
        if term.get("labelSelector") is None:
            yield f"{path}.{REQUIRED}[{i}].labelSelector: {NO_SELECTOR}"
    for i, weighted in enumerate(affinity.get(PREFERRED) or ()):
        if (weighted.get("podAffinityTerm") or {}).get("labelSelector") is None:
            at = f"{path}.{PREFERRED}[{i}].podAffinityTerm.labelSelector"
            yield f"{at}: {NO_SELECTOR}"
