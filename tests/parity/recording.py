"""Have the real kube-scheduler decide on a case, and write down what it does.

The answer is a line as data/README.md describes it, so that whatever replays the corpus replays it.
Every case has a kube-scheduler process of its own, started (0.2 s) when the cluster is complete:
all its caches are full before the first decision, and nothing is left in them of the last case.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Self, TypeAlias

from controlplane import ApiError, ControlPlane, SchedulerOptions, wait_until
from parity.binding import bind_claims
from parity.drawing.cases import Case
from parity.drawing.draw import Manifest

WITHOUT_ADMISSION: Final = (
    "ServiceAccount",
    "TaintNodesByCondition",
    "Priority",
    "RuntimeClass",
    "StorageObjectInUseProtection",
)
"""Admission plugins that would change what is drawn, or keep it from being deleted."""

REFUSED: Final = (HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY)
PERCENTAGE: Final = 100  # every node is looked at: a sample depends on a cursor
AT_ONCE: Final = {"gracePeriodSeconds": 0, "propagationPolicy": "Background"}
POLL_SECONDS: Final = 0.004
SCORED: Final = re.compile(
    r"\"(?:Plugin scored node|Calculated node's final score) for pod\" "
    r'pod="([^"]+)" (?:plugin="([^"]+)" )?node="([^"]+)" score=(-?\d+)'
)

NOMINATED: Final = re.compile(r'"the target node for the preemption is determined" .*node="(.+)"')
UNSCHEDULABLE: Final = re.compile(r'"Unable to schedule pod; no fit; waiting" .*err=(".*")')
EVICTED: Final = "Async Preemption finished"

Scores: TypeAlias = dict[str, dict[str, int]]
"""Weighted score by node, then by plugin; `total` is kube-scheduler's own sum."""


class RecordingError(Exception):
    """kube-scheduler did something that a recorded step cannot say."""


class Recorder:
    """A control plane that serves one case after the other, within `with`.

    Attributes:
        refused: How many drawn objects the API server did not take; they are left out.
    """

    def __init__(self) -> None:
        self._plane = ControlPlane(
            controller_manager=False, kwok=False, audit=False, without_admission=WITHOUT_ADMISSION
        )
        self.refused = 0
        self._made: list[Manifest] = []

    def __enter__(self) -> Self:
        self._plane.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._plane.stop()

    def record(self, case: Case) -> dict[str, Any]:
        """Return the case with kube-scheduler's decisions; the first nomination ends it.

        Raises:
            ControlPlaneError: kube-scheduler refuses the profile.
            RecordingError: a decision is none that a step can say.
            TimeoutError: kube-scheduler did not decide.
        """
        try:
            objects = self._create_cluster(case)
            self._log.unlink(missing_ok=True)
            options = SchedulerOptions(
                qps=5000,
                burst=5000,
                percentage_of_nodes_to_score=PERCENTAGE,
                vmodule="schedule_one=10",
                feature_gates={"OpportunisticBatching": False},
                profile=case.profile,
            )
            try:
                self._plane.start_scheduler(options)
                steps = list(self._decisions(objects, case.pods))
            finally:
                self._plane.stop_scheduler()
        finally:
            self._delete()
        scores = scores_by_pod(self._log.read_text())
        return {
            "id": f"{case.category}-{case.seed}",
            "seed": case.seed,
            "category": case.category,
            "kubernetes": "v1.36.3",
            **({"config": _configuration(case)} if case.profile else {}),
            "objects": objects,
            "steps": [_scored(step, scores) for step in steps],
        }

    @property
    def _log(self) -> Path:
        return self._plane.folder / "logs" / "kube-scheduler.log"

    # The cluster

    def _create_cluster(self, case: Case) -> list[Manifest]:
        """Create the objects, kind after kind, and return them as the API server has them."""
        by_kind: dict[str, list[Manifest]] = defaultdict(list)
        for manifest in case.objects:
            by_kind[manifest["kind"]].append(manifest)
        by_kind["Namespace"] = _namespaces(case)
        with ThreadPoolExecutor(16) as pool:
            answers = [each for ones in by_kind.values() for each in pool.map(self._create, ones)]
        return [answer for answer in answers if answer is not None]

    def _create(self, manifest: Manifest) -> Manifest | None:
        """Create an object, with its status and as if its deletion had begun if it says so."""
        api = self._plane.api
        metadata, status = dict(manifest["metadata"]), manifest.get("status")
        is_ending = metadata.pop("deletionTimestamp", None)
        path = f"{api.collection(manifest)}/{metadata['name']}"
        try:
            answer: Manifest = api.create({**manifest, "metadata": metadata})
            if manifest["kind"] != "Namespace":
                self._made.append(answer)
            if status and manifest["kind"] != "Node":
                answer = api.patch(f"{path}/status", {"status": status}, kind="merge")
            if is_ending:
                answer = api.delete(path)
        except ApiError as error:
            if manifest["kind"] == "Namespace" and error.status == HTTPStatus.CONFLICT:
                labels = {"kubernetes.io/metadata.name": metadata["name"], **metadata["labels"]}
                change = [{"op": "replace", "path": "/metadata/labels", "value": labels}]
                answer = api.patch(path, change, kind="json")
            elif error.status in REFUSED:
                self.refused += 1
                return None
            else:
                raise
        return _without_managed_fields(answer)

    def _delete(self) -> None:
        """Delete what was made; namespaces stay, since nobody is there to finish them."""
        api = self._plane.api
        for one in self._made:
            if one["metadata"].get("finalizers"):
                path = f"{api.collection(one)}/{one['metadata']['name']}"
                api.patch(path, {"metadata": {"finalizers": None}}, kind="merge")
        for collection in {api.collection(one) for one in self._made}:
            api.request("DELETE", collection, AT_ONCE)
        self._made.clear()

    # The decisions

    def _decisions(self, objects: list[Manifest], pods: Iterable[Manifest]) -> Iterator[Manifest]:
        """Create the pods one at a time, and see what becomes of each."""
        placed = {_key(one) for one in objects if one["kind"] == "Pod" and _is_staying(one)}
        for manifest in pods:
            pod = self._create(manifest)
            if pod is not None:
                step = {"pod": pod, **self._outcome(pod, placed)}
                yield step
                if step["outcome"] == "nominated":
                    return

    def _outcome(self, pod: Manifest, placed: set[str]) -> Manifest:
        """Wait for the decision on a pod, and leave the cluster as the next one may find it."""
        api = self._plane.api
        path = f"{api.collection(pod)}/{pod['metadata']['name']}"
        changed: list[Manifest] = []

        def decided() -> Manifest:
            changed.extend(bind_claims(api, pod))
            return self._decided(path)

        now = wait_until(decided, f"a decision on {path}", poll=POLL_SECONDS)
        self._made += changed
        if chosen := NOMINATED.search(self._words_on(pod)):
            return {"outcome": "nominated", "node": chosen[1], **self._evicted(pod, placed)}
        if node := now["spec"].get("nodeName"):
            # as a kubelet does it: of equally important victims, the one that started last goes
            start = {"startTime": f"2026-02-01T00:{len(placed) // 60:02}:{len(placed) % 60:02}Z"}
            now = api.patch(f"{path}/status", {"status": start}, kind="merge")
            placed.add(_key(pod))
            changed.append(now)
            without = [_without_managed_fields(one) for one in changed]
            return {"outcome": "bound", "node": node, "changed": without}
        reason, message = _refusal(now)
        if reason != "Unschedulable":
            raise RecordingError(f"{path}: {reason}: {message}")
        api.delete(path, grace_seconds=0)
        return {"outcome": "unschedulable", "message": message}

    def _evicted(self, pod: Manifest, placed: set[str]) -> Manifest:
        """Wait until the victims are deleted, and say who they are.

        The log tells it, since the API server may show the preemptor bound already.
        """
        what = f"the end of the victims of {_key(pod)}"
        wait_until(lambda: EVICTED in self._words_on(pod), what, poll=POLL_SECONDS)
        there = set(map(_key, filter(_is_staying, self._plane.api.items("/api/v1/pods"))))
        (quoted,) = UNSCHEDULABLE.findall(self._words_on(pod))[:1]
        return {"message": json.loads(quoted), "victims": sorted(placed - there)}

    def _words_on(self, pod: Manifest) -> str:
        """Return what kube-scheduler has logged about a pod; each line once it is complete."""
        key = f'="{_key(pod)}" '
        lines = self._log.read_text().splitlines(keepends=True)
        return "".join(line for line in lines if key in line and line.endswith("\n"))

    def _decided(self, path: str) -> Manifest:
        """Return a pod once a scheduler has spoken, before that nothing."""
        pod: Manifest = self._plane.api.get(path)
        conditions = {one["type"] for one in pod["status"].get("conditions") or ()}
        return pod if "PodScheduled" in conditions else {}


def scores_by_pod(log: str) -> dict[str, Scores]:
    """Read the scores from the log of kube-scheduler, for each pod with several feasible nodes."""
    found: dict[str, Scores] = defaultdict(lambda: defaultdict(dict))
    for pod, plugin, node, score in SCORED.findall(log):
        found[pod][node][plugin or "total"] = int(score)
    return found


def _scored(step: Manifest, scores: Mapping[str, Scores]) -> Manifest:
    """Add the feasible nodes and their scores to a step; a single node is not scored."""
    if step["outcome"] != "bound":
        return step
    given = scores.get(_key(step["pod"]))
    return {**step, "feasible": sorted(given or [step["node"]]), "scores": given}


def _refusal(pod: Manifest) -> tuple[str, str]:
    """Return reason and message of the condition PodScheduled."""
    (condition,) = (one for one in pod["status"]["conditions"] if one["type"] == "PodScheduled")
    return condition["reason"], condition["message"]


def _namespaces(case: Case) -> list[Manifest]:
    """Return the namespaces of a case, also those that objects only name."""
    given = {one["metadata"]["name"]: one for one in case.objects if one["kind"] == "Namespace"}
    used = {one["metadata"].get("namespace") for one in (*case.objects, *case.pods)} - {None}
    return [
        given.get(name)
        or {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": {}}}
        for name in sorted(used | given.keys())
    ]


def _configuration(case: Case) -> Manifest:
    return {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "percentageOfNodesToScore": PERCENTAGE,
        "profiles": [{"schedulerName": "default-scheduler", **case.profile}],
    }


def _is_staying(pod: Manifest) -> bool:
    return "deletionTimestamp" not in pod["metadata"]


def _key(obj: Manifest) -> str:
    return f"{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _without_managed_fields(obj: Manifest) -> Manifest:
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    return {**obj, "metadata": metadata}
