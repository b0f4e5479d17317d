"""NamespaceLifecycle: nothing is created in a namespace that is not there or is going."""

from __future__ import annotations

from typing import Final

from pilotfish.cluster.admission.plugin import Review, refuse
from pilotfish.cluster.errors import Cause, forbidden, not_found
from pilotfish.cluster.kinds import NAMESPACES
from pilotfish.cluster.resources import TABLE
from pilotfish.cluster.store import Store

IMMORTAL: Final = frozenset(("default", "kube-system", "kube-public"))
_PHASE: Final = TABLE.column(NAMESPACES, "status.phase")


class NamespaceLifecycle:
    """Refuses objects without a namespace to live in, and the deletion of the first namespaces.

    Source: kubernetes v1.36
        staging/src/k8s.io/apiserver/pkg/admission/plugin/namespace/lifecycle/admission.go.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def admit(self, review: Review) -> None:
        """Let a write pass.

        Raises:
            StatusError: 404: no such namespace; 403: it is going, or must not go.
        """
        if review.resource.kind == "Namespace":
            if review.operation == "delete" and review.name in IMMORTAL:
                raise forbidden(NAMESPACES, review.name, "this namespace may not be deleted")
            return
        if review.operation != "create" or not review.namespace:
            return
        namespace = self._store.get(NAMESPACES.storage, "", review.namespace)
        if namespace is None:
            raise not_found(NAMESPACES, review.namespace)
        if namespace.selectable[_PHASE] == "Terminating":
            cause = Cause(
                "NamespaceTerminating",
                f"namespace {review.namespace} is being terminated",
                "metadata.namespace",
            )
            why = (
                f"unable to create new content in namespace {review.namespace} "
                "because it is being terminated"
            )
            raise refuse(review, why, (cause,))
