"""Which pods an affinity term or a spread constraint speaks of."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

import msgspec

from pilotfish.api.affinity import PodAffinity, PodAffinityTerm
from pilotfish.api.pod import Pod
from pilotfish.api.selectors import LabelSelector
from pilotfish.api.workloads import Namespace


class PodSelector(msgspec.Struct, frozen=True, gc=False):
    """Pods of some namespaces with some labels.

    Attributes:
        namespaces: the namespaces by name.
        label_selector: which of their pods; None selects none.
        namespace_selector: further namespaces, by their labels; None adds none.
    """

    namespaces: frozenset[str]
    label_selector: LabelSelector | None
    namespace_selector: LabelSelector | None = None

    def matches(
        self, namespace: str, labels: Mapping[str, str], namespaces: Mapping[str, Namespace]
    ) -> bool:
        """Say whether a pod of this namespace with these labels is meant.

        A namespace that is not known has no labels.

        Source: kubernetes v1.36 staging/src/k8s.io/kube-scheduler/framework/types.go
            (AffinityTerm.Matches).
        """
        if self.label_selector is None:
            return False
        return self._has_namespace(namespace, namespaces) and self.label_selector.matches(labels)

    def _has_namespace(self, namespace: str, namespaces: Mapping[str, Namespace]) -> bool:
        if namespace in self.namespaces:
            return True
        if self.namespace_selector is None:
            return False
        known = namespaces.get(namespace)
        return self.namespace_selector.matches({} if known is None else known.labels)


class TermKind(enum.Enum):
    """What a pod wants of the pods that its term selects."""

    REQUIRED_AFFINITY = "required affinity"
    REQUIRED_ANTI_AFFINITY = "required anti-affinity"
    PREFERRED_AFFINITY = "preferred affinity"
    PREFERRED_ANTI_AFFINITY = "preferred anti-affinity"


class PodTerm(msgspec.Struct, frozen=True, gc=False):
    """An affinity term of a pod, with the pod's own namespace filled in.

    Attributes:
        weight: of a preferred term; 0 for a required one.
    """

    kind: TermKind
    selector: PodSelector
    topology_key: str
    weight: int = 0


def pod_terms(pod: Pod) -> tuple[PodTerm, ...]:
    """List a pod's affinity and anti-affinity terms.

    Source: kubernetes v1.36 staging/src/k8s.io/kube-scheduler/framework/types.go
        (GetAffinityTerms). matchLabelKeys and mismatchLabelKeys need no care: the API server has
        merged them into the label selector.
    """
    affinity = pod.spec.affinity
    if affinity is None:
        return ()
    near = _terms(
        affinity.pod_affinity,
        pod.namespace,
        TermKind.REQUIRED_AFFINITY,
        TermKind.PREFERRED_AFFINITY,
    )
    far = _terms(
        affinity.pod_anti_affinity,
        pod.namespace,
        TermKind.REQUIRED_ANTI_AFFINITY,
        TermKind.PREFERRED_ANTI_AFFINITY,
    )
    return (*near, *far)


def _terms(
    affinity: PodAffinity | None, namespace: str, required: TermKind, preferred: TermKind
) -> Iterator[PodTerm]:
    if affinity is None:
        return
    for term in affinity.required:
        yield PodTerm(required, _selector(term, namespace), term.topology_key)
    for wish in affinity.preferred:
        term = wish.pod_affinity_term
        yield PodTerm(preferred, _selector(term, namespace), term.topology_key, wish.weight)


def _selector(term: PodAffinityTerm, namespace: str) -> PodSelector:
    names = term.namespaces
    if not names and term.namespace_selector is None:
        names = (namespace,)
    return PodSelector(frozenset(names), term.label_selector, term.namespace_selector)
