"""Replay recorded decisions of kube-scheduler and show where ours differ.

Usage: python tests/parity/replay.py tests/parity/data/corpus.ndjson.gz --category taints
"""

from __future__ import annotations

import argparse
import gzip
import sys
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from pilotfish.api.codec import decode
from pilotfish.api.meta import KubernetesObject
from pilotfish.api.node import Node
from pilotfish.api.pod import Pod
from pilotfish.api.workloads import (
    Namespace,
    PodDisruptionBudget,
    ReplicaSet,
    ReplicationController,
    Service,
    StatefulSet,
)
from pilotfish.cache.cluster_cache import ClusterCache
from pilotfish.cache.volume_index import KINDS as VOLUME_KINDS
from pilotfish.cache.workloads import Workload
from pilotfish.core.message import unschedulable_message
from pilotfish.framework.arrays import Scores
from pilotfish.framework.post_filter import PostFiltered
from pilotfish.framework.profile import Profile
from pilotfish.framework.profile_results import Filtered, Scored
from pilotfish.framework.what_if import WhatIf
from pilotfish.plugins.default import default_profile, default_registry
from pilotfish.plugins.profiles import profiles_of

PLUGINS_NOT_JUDGED: Final = frozenset({"DynamicResources"})
"""Plugins without a score here: theirs are left out."""

WORKLOADS: Final[dict[str, type[Workload]]] = {
    kind.__name__: kind for kind in (Service, ReplicationController, ReplicaSet, StatefulSet)
}

VOLUMES: Final = {kind.__name__: kind for kind in VOLUME_KINDS.values()}

SHOWN_DIFFERENCES: Final = 20

T = TypeVar("T", bound=KubernetesObject)


class Difference(msgspec.Struct, frozen=True):
    """One thing about one recorded decision that we do otherwise.

    Attributes:
        what: "feasible", "message", "nomination", "choice" or the name of a plugin whose scores
            differ.
        recorded: what only kube-scheduler says.
        ours: what only we say.
    """

    cluster: str
    pod: str
    what: str
    recorded: str
    ours: str


def clusters(corpus: Path, categories: Collection[str] | None = None) -> Iterator[dict[str, Any]]:
    """Read the recorded clusters of some categories, or of all."""
    with gzip.open(corpus) if corpus.suffix == ".gz" else corpus.open("rb") as lines:
        for line in lines:
            cluster = msgspec.json.decode(line)
            if categories is None or cluster["category"] in categories:
                yield cluster


class Decided(msgspec.Struct, frozen=True):
    """What we decide in one recorded step.

    Attributes:
        step: The recorded one.
        cache: The cluster before the step; the next step changes it.
        done: What the plugins did about it when no node was feasible.
        scored: The scores where kube-scheduler gave any and we agree on the feasible nodes.
    """

    step: dict[str, Any]
    cache: ClusterCache
    filtered: Filtered
    done: PostFiltered
    scored: Scored | None
    differences: list[Difference]


def replay(cluster: dict[str, Any]) -> Iterator[list[Difference]]:
    """Yield what differs, step by step."""
    return (decided.differences for decided in decide(cluster))


def decide(cluster: dict[str, Any]) -> Iterator[Decided]:
    """Decide on each step and force the recorded outcome."""
    profile = _profile(cluster.get("config"))
    cache = ClusterCache()
    _load(cache, cluster["objects"])
    for step in cluster["steps"]:
        pod = _decoded(Pod, step["pod"])
        filtered = profile.filter(pod, cache)
        done = PostFiltered()
        if len(cache.nodes) and not filtered.feasible.any():
            what_if = WhatIf.of(profile, pod, cache, filtered.states)
            done = profile.post_filter(pod, cache, filtered, what_if)
        found = list(_outcome_differences(step, cache, filtered, done))
        scored = None
        if step["outcome"] == "bound" and step["scores"] and not found:
            scored = profile.score(pod, cache, filtered)
            found += _score_differences(step, cache, scored.by_plugin)
        differences = [Difference(cluster["id"], pod.key, *one) for one in found]
        yield Decided(step, cache, filtered, done, scored, differences)
        if step["outcome"] == "bound":
            cache.assume(pod, step["node"])
            cache.finish_binding(pod.uid)
        _load(cache, step.get("changed", ()))


def _profile(config: dict[str, Any] | None) -> Profile:
    """Make the profile that was in force."""
    if config is None:
        return default_profile("default-scheduler")
    (profile,) = profiles_of(msgspec.json.encode(config).decode(), default_registry())[1]
    return profile


def _load(cache: ClusterCache, objects: Iterable[dict[str, Any]]) -> None:
    """Put objects into a cache; kinds that no plugin reads yet are passed over."""
    for content in objects:
        match content["kind"]:
            case "Node":
                cache.set_node(_decoded(Node, content))
            case "Namespace":
                cache.set_namespace(_decoded(Namespace, content))
            case kind if kind in WORKLOADS:
                cache.set_workload(_decoded(WORKLOADS[kind], content))
            case "PodDisruptionBudget":
                cache.set_budget(_decoded(PodDisruptionBudget, content))
            case kind if kind in VOLUMES:
                cache.volumes.put(_decoded(VOLUMES[kind], content))
            case "Pod" if content["spec"].get("nodeName"):
                cache.set_pod(_decoded(Pod, content))


def _outcome_differences(
    step: dict[str, Any], cache: ClusterCache, filtered: Filtered, done: PostFiltered
) -> Iterator[tuple[str, str, str]]:
    """Compare the feasible nodes, or the message that there are none, and node and victims."""
    feasible = {cache.nodes.names[row] for row in np.flatnonzero(filtered.feasible)}
    if step["outcome"] == "bound":
        recorded = set(step["feasible"])
        if feasible != recorded:
            yield "feasible", _listed(recorded - feasible), _listed(feasible - recorded)
        return
    message = unschedulable_message(len(cache.nodes), filtered.rejections, done.message)
    ours = f"feasible: {_listed(feasible)}" if feasible else message
    if ours != step["message"]:
        yield "message", step["message"], ours
    best = (done.nomination, *done.nomination.ties) if done.nomination else ()
    choices = {one.node_name: _listed(victim.key for victim in one.victims) for one in best}
    wanted = {step["node"]: _listed(step["victims"])} if step["outcome"] == "nominated" else {}
    if not wanted.items() <= choices.items() or bool(wanted) != bool(choices):
        yield "nomination", str(wanted), str(choices)


def _score_differences(
    step: dict[str, Any], cache: ClusterCache, by_plugin: Mapping[str, Scores]
) -> Iterator[tuple[str, str, str]]:
    """Compare each plugin's scores, None where it was skipped, and the choice."""
    scores: dict[str, dict[str, int]] = step["scores"]
    rows = {name: cache.nodes.row_of[name] for name in scores}
    plugins = {name for of_node in scores.values() for name in of_node} - {"total"}
    for plugin in sorted((plugins | by_plugin.keys()) - PLUGINS_NOT_JUDGED):
        recorded = {name: of_node.get(plugin) for name, of_node in scores.items()}
        given = by_plugin.get(plugin)
        ours = {name: None if given is None else int(given[row]) for name, row in rows.items()}
        wrong = [name for name in scores if recorded[name] != ours[name]]
        if wrong:
            yield (
                plugin,
                _listed(f"{n}={recorded[n]}" for n in wrong),
                _listed(f"{n}={ours[n]}" for n in wrong),
            )
    if all(_is_even(scores, plugin) for plugin in plugins & PLUGINS_NOT_JUDGED):
        totals = {n: sum(int(of[row]) for of in by_plugin.values()) for n, row in rows.items()}
        best = {name for name, total in totals.items() if total == max(totals.values())}
        if step["node"] not in best:
            yield "choice", step["node"], _listed(best)


def _is_even(scores: dict[str, dict[str, int]], plugin: str) -> bool:
    """Say whether a plugin scored all nodes alike, so that it had no influence on the choice."""
    return len({of_node.get(plugin, 0) for of_node in scores.values()}) == 1


def _decoded(kind: type[T], content: dict[str, Any]) -> T:
    return decode(kind, msgspec.json.encode(content))


def _listed(names: Iterable[str]) -> str:
    return " ".join(sorted(names)) or "-"


class Tally:
    """How the replay of one category went."""

    def __init__(self) -> None:
        self.clusters = 0
        self.steps = 0
        self.differences: list[Difference] = []

    def add(self, cluster: dict[str, Any]) -> None:
        """Replay one more cluster."""
        self.clusters += 1
        for found in replay(cluster):
            self.steps += 1
            self.differences += found

    def row(self) -> tuple[str, str, str, str]:
        """Say it in words: clusters, steps, equal steps, what differs how often."""
        unequal = {(one.cluster, one.pod) for one in self.differences}
        kinds = Counter(one.what for one in self.differences)
        told = ", ".join(f"{count} {what}" for what, count in kinds.items())
        return str(self.clusters), str(self.steps), str(self.steps - len(unequal)), told or "-"


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay a corpus; print a line a category and the first differences.

    What leaves nothing to replay is an error of usage, exit status 2: it is no agreement.
    """
    parser = argparse.ArgumentParser(description="Replay recorded decisions of kube-scheduler.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--category", action="append", help="only this one; may be repeated")
    parser.add_argument("--limit", type=int, default=sys.maxsize, help="clusters a category")
    options = parser.parse_args(arguments)
    if options.limit < 1:
        parser.error("--limit must be at least 1")
    tallies: dict[str, Tally] = {}
    try:
        for cluster in clusters(options.corpus, options.category):
            tally = tallies.setdefault(cluster["category"], Tally())
            if tally.clusters < options.limit:
                tally.add(cluster)
    except (OSError, EOFError, msgspec.DecodeError) as error:
        parser.error(f"{options.corpus} is no corpus: {error}")
    if missing := set(options.category or ()) - tallies.keys():
        parser.error(f"{options.corpus} has nothing of category {', '.join(sorted(missing))}")
    if not tallies:
        parser.error(f"{options.corpus} has no clusters")
    _print(tallies)
    return 1 if any(tally.differences for tally in tallies.values()) else 0


def table_of(tallies: Mapping[str, Tally]) -> Table:
    """Make a table with a line a category."""
    table = Table("category", "clusters", "steps", "equal", "differences")
    for name, tally in tallies.items():
        table.add_row(name, *tally.row())
    return table


def _print(tallies: dict[str, Tally]) -> None:
    console = Console(soft_wrap=True, highlight=False, markup=False)
    console.print(table_of(tallies))
    differences = [one for tally in tallies.values() for one in tally.differences]
    for one in differences[:SHOWN_DIFFERENCES]:
        console.print(f"\n{one.cluster} {one.pod}: {one.what}")
        console.print(f"  recorded  {one.recorded}\n  ours      {one.ours}")
    if len(differences) > SHOWN_DIFFERENCES:
        console.print(f"\nand {len(differences) - SHOWN_DIFFERENCES} more")


if __name__ == "__main__":
    sys.exit(main())
