"""How one pod behaves: its annotations, else the first rule that selects it, else the defaults."""

from __future__ import annotations

from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Final

import msgspec

from pilotfish.cluster.kubelet import annotations as keys
from pilotfish.cluster.objects import JsonObject
from pilotfish.cluster.settings import Delay, KubeletSettings, PodFault, PodRule

_NO_RULE: Final = PodRule()
_LARGEST: Final = float(1 << 64)


class Behavior(msgspec.Struct, frozen=True, gc=False):
    """What a pod's containers do, and how long it takes; None for what never happens."""

    sandbox: Delay
    pull: Delay
    start: Delay
    ready: Delay
    stop: Delay
    init: Delay
    run: Delay | None
    exit_code: int
    fault: PodFault


def share(seed: int, *about: object) -> float:
    """Draw a number in 0..1 that depends on nothing but the arguments."""
    digest = blake2b(repr((seed, *about)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / _LARGEST


def draw(delay: Delay, seed: int, *about: object) -> float:
    """Draw how long something takes, in seconds."""
    if not delay.jitter_seconds:
        return delay.seconds
    return delay.seconds + delay.jitter_seconds * share(seed, *about)


def behavior_of(pod: JsonObject, settings: KubeletSettings) -> Behavior:
    """Read how a pod behaves; annotations that are no numbers are passed over."""
    rule = rule_of(pod, settings)
    said: dict[str, str] = pod["metadata"].get("annotations") or {}
    fault = _fault(said.get(keys.FAULT), rule)
    run = _seconds(said, keys.RUN_SECONDS) or rule.run
    if fault == "CrashLoop":
        run = run or settings.crash
    elif run is None and _is_of_job(pod):
        run = settings.job
    exit_code = keys.read_exit_code(said.get(keys.EXIT_CODE, ""))
    if exit_code is None:
        exit_code = rule.exit_code
    return Behavior(
        sandbox=settings.sandbox,
        pull=_seconds(said, keys.PULL_SECONDS) or rule.pull or settings.pull,
        start=_seconds(said, keys.START_SECONDS) or rule.start or settings.start,
        ready=_seconds(said, keys.READY_SECONDS) or rule.ready or settings.ready,
        stop=_seconds(said, keys.STOP_SECONDS) or rule.stop or settings.stop,
        init=settings.init,
        run=run,
        exit_code=exit_code if exit_code is not None else int(fault == "CrashLoop"),
        fault=fault,
    )


def rule_of(pod: JsonObject, settings: KubeletSettings) -> PodRule:
    """Give the first rule that selects a pod."""
    return next((rule for rule in settings.pods if _selects(rule, pod)), _NO_RULE)


def _fault(said: str | None, rule: PodRule) -> PodFault:
    match said:
        case "CrashLoop" | "ImagePull" | "NotReady":
            return said
        case _:
            return rule.fault or ""


def _selects(rule: PodRule, pod: JsonObject) -> bool:
    metadata = pod["metadata"]
    labels = metadata.get("labels") or {}
    images = [container.get("image", "") for container in pod["spec"]["containers"]]
    return (
        rule.namespace in ("", metadata.get("namespace"))
        and all(labels.get(key) == value for key, value in rule.labels.items())
        and (not rule.image or any(fnmatchcase(image, rule.image) for image in images))
    )


def _seconds(said: dict[str, str], key: str) -> Delay | None:
    seconds = keys.read_number(said.get(key, ""))
    return None if seconds is None else Delay(seconds)


def _is_of_job(pod: JsonObject) -> bool:
    owners: list[JsonObject] = pod["metadata"].get("ownerReferences") or []
    return any(owner.get("controller") and owner["kind"] == "Job" for owner in owners)


def own_run_seconds(container: JsonObject) -> float | None:
    """Read how long a container runs from a command that says so: `sleep 3600`."""
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    match words:
        case [program, seconds] if program.rpartition("/")[2] == "sleep" and seconds.isdecimal():
            return float(seconds)
        case _:
            return None
