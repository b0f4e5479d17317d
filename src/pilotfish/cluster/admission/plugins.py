"""The admission plugins that run, in upstream's order.

Source: kubernetes v1.36 pkg/kubeapiserver/options/plugins.go.
"""

from __future__ import annotations

import random

from pilotfish.cluster.admission.default_toleration_seconds import DefaultTolerationSeconds
from pilotfish.cluster.admission.namespace_lifecycle import NamespaceLifecycle
from pilotfish.cluster.admission.nodes import PodTopologyLabels, TaintNodesByCondition
from pilotfish.cluster.admission.plugin import AdmissionPlugin
from pilotfish.cluster.admission.priority import Priority
from pilotfish.cluster.admission.runtime_class import RuntimeClass
from pilotfish.cluster.admission.service_account import ServiceAccount
from pilotfish.cluster.admission.service_addresses import ServiceAddresses
from pilotfish.cluster.admission.storage import (
    DefaultStorageClass,
    StorageObjectInUseProtection,
)
from pilotfish.cluster.rbac.authorizer import Authorizer
from pilotfish.cluster.rbac.escalation import EscalationCheck
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.cluster.store import Store


def admission_plugins(
    store: Store, authorizer: Authorizer, settings: ClusterSettings, rng: random.Random
) -> tuple[AdmissionPlugin, ...]:
    """Make the plugins; the last two are the work of upstream's storage, not of plugins."""
    return (
        NamespaceLifecycle(store),
        ServiceAccount(store, rng),
        TaintNodesByCondition(),
        PodTopologyLabels(store),
        Priority(store),
        DefaultTolerationSeconds(),
        StorageObjectInUseProtection(),
        RuntimeClass(store),
        DefaultStorageClass(store),
        ServiceAddresses(store, settings, rng),
        EscalationCheck(authorizer),
    )
