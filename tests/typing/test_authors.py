"""The plugins of authors.py, which mypy checks, also run."""

import runpy
from pathlib import Path

import msgspec
import numpy as np

import make
from pilotfish.api.workloads import Namespace
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.framework import Profile

AUTHORS = runpy.run_path(str(Path(__file__).parent / "authors.py"))
PROFILE: Profile = AUTHORS["profile"]()


def test_plugins_from_outside_decide() -> None:
    """Quiet nodes and other teams' nodes are out; the node with more pods is better."""
    cache = ClusterCache()
    namespace = {"metadata": {"name": "default", "labels": {"squad": "blue"}}}
    cache.set_namespace(msgspec.convert(namespace, Namespace))
    cache.set_node(make.node("quiet", labels={"quiet": "true", "squad": "blue"}))
    cache.set_node(make.node("red", labels={"squad": "red"}))
    cache.set_node(make.node("empty", labels={"squad": "blue"}))
    cache.set_node(make.node("busy", labels={"squad": "blue"}))
    cache.set_pod(make.pod("a", node_name="busy"))
    pod = make.pod("p", labels={"kind": "batch"})
    filtered = PROFILE.filter(pod, cache)
    assert np.flatnonzero(filtered.feasible).tolist() == [2, 3]
    told = [(one.plugin, one.reason) for one in filtered.rejections]
    assert told == [
        ("QuietHours", "node(s) were quiet"),
        ("Reserved", "node(s) were reserved for another team"),
    ]
    scored = PROFILE.score(pod, cache, filtered)
    assert scored.total[[2, 3]].tolist() == [0, 202]
    assert PROFILE.pre_enqueue(make.pod("q", labels={"hold": ""})) is not None


def test_author_s_own_test_decides() -> None:
    assert AUTHORS["chosen_by_quiet_hours"]() == "b"
