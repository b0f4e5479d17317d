"""PodTopologySpread's arguments; its rules are in tests/parity."""

import pytest

from make import ZONE_LABEL
from pilotfish.api.affinity import TopologySpreadConstraint
from pilotfish.cache.volume_index import KINDS as VOLUME_KINDS
from pilotfish.framework import ProfileError
from pilotfish.plugins.default import default_profile, default_registry
from pilotfish.plugins.pod_topology_spread import PodTopologySpread

LISTED = [TopologySpreadConstraint(1, ZONE_LABEL, "ScheduleAnyway")]


def test_listed_defaults_need_the_defaulting_type() -> None:
    with pytest.raises(ProfileError, match='need the defaulting type "List"'):
        default_registry().make("PodTopologySpread", {"default_constraints": LISTED})


def test_services_and_controllers_are_read_for_defaults_only() -> None:
    workloads = {"services", "replicationcontrollers", "replicasets", "statefulsets"}
    assert PodTopologySpread().reads == workloads
    assert PodTopologySpread(defaulting_type="List").reads == set()
    listing = PodTopologySpread(default_constraints=LISTED, defaulting_type="List")
    assert listing.reads == workloads


def test_default_profile_reads_what_its_plugins_read() -> None:
    others = {"namespaces", "poddisruptionbudgets", *VOLUME_KINDS}
    assert default_profile("p").reads == PodTopologySpread().reads | others
