"""Annotations by which one pod or node is made to behave otherwise than the settings say.

On pods (numbers in seconds, as decimal text):

| annotation | meaning |
| --- | --- |
| `kubelet.pilotfish/run-seconds` | each container ends by itself after this time |
| `kubelet.pilotfish/exit-code` | with this code (default 0) |
| `kubelet.pilotfish/pull-seconds` | how long an image takes to pull |
| `kubelet.pilotfish/start-seconds` | how long a container takes to start: a slow start |
| `kubelet.pilotfish/ready-seconds` | from the start of a container until it is ready |
| `kubelet.pilotfish/stop-seconds` | from SIGTERM until a container has ended |
| `kubelet.pilotfish/fault` | `CrashLoop`, `ImagePull` or `NotReady` (readiness fails) |
| `kubelet.pilotfish/cpu` | used CPU as a share of the request, as in `0.9` |

On nodes, at any time: `kubelet.pilotfish/fault`, `NotReady` (the container runtime is down) or
`Silent` (the kubelet is dead: no heartbeats, and pods are neither started nor stopped). Removing
the annotation heals the node.
"""

from collections.abc import Callable, Iterator
from math import isnan
from typing import Final

from pilotfish.api.selectors import int64
from pilotfish.cluster.objects import JsonObject

PREFIX: Final = "kubelet.pilotfish/"
RUN_SECONDS: Final = PREFIX + "run-seconds"
EXIT_CODE: Final = PREFIX + "exit-code"
PULL_SECONDS: Final = PREFIX + "pull-seconds"
START_SECONDS: Final = PREFIX + "start-seconds"
READY_SECONDS: Final = PREFIX + "ready-seconds"
STOP_SECONDS: Final = PREFIX + "stop-seconds"
FAULT: Final = PREFIX + "fault"
CPU: Final = PREFIX + "cpu"

MOST: Final = 1e9  # seconds or shares; more mean no more than these
SECONDS: Final = (RUN_SECONDS, PULL_SECONDS, START_SECONDS, READY_SECONDS, STOP_SECONDS)
ON_PODS: Final = (*SECONDS, EXIT_CODE, FAULT, CPU)
POD_FAULTS: Final = ("CrashLoop", "ImagePull", "NotReady")
ON_NODES: Final = (FAULT,)
NODE_FAULTS: Final = ("NotReady", "Silent")


def pod_annotation_warnings(new: JsonObject, old: JsonObject | None = None) -> Iterator[str]:
    """Yield which new annotations of a pod its kubelet passes over, and why."""
    return _warnings(new, old, ON_PODS, POD_FAULTS)


def node_annotation_warnings(new: JsonObject, old: JsonObject | None = None) -> Iterator[str]:
    """Yield which new annotations of a node its kubelet passes over, and why."""
    return _warnings(new, old, ON_NODES, NODE_FAULTS)


def read_number(said: str) -> float | None:
    """Read seconds or a share, negative ones as none; None where it is no number."""
    try:
        number = float(said)
    except ValueError:
        return None
    return None if isnan(number) else min(max(0.0, number), MOST)


def read_exit_code(said: str) -> int | None:
    """Read an exit code; None where it is none."""
    return int64(said) if said.isdecimal() else None


def _reader(key: str) -> Callable[[str], float | None]:
    return read_exit_code if key == EXIT_CODE else read_number


def _warnings(
    new: JsonObject, old: JsonObject | None, known: tuple[str, ...], faults: tuple[str, ...]
) -> Iterator[str]:
    before = old["metadata"].get("annotations") or {} if old else {}
    said: dict[str, str] = new["metadata"].get("annotations") or {}
    for key, value in said.items():
        if not key.startswith(PREFIX) or before.get(key) == value:
            continue
        if key not in known:
            names = ", ".join(one.removeprefix(PREFIX) for one in known)
            wrong = f"the names are {names}"
        elif key == FAULT and value not in faults:
            wrong = f"{value!r} is not one of {', '.join(faults)}"
        elif key != FAULT and _reader(key)(value) is None:
            wrong = f"{value!r} is not a number"
        else:
            continue
        yield f"metadata.annotations[{key}]: {wrong}; it has no effect"
