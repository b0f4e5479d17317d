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
| `kubelet.pilotfish/fault` | `CrashLoop` or `ImagePull` |
| `kubelet.pilotfish/cpu` | used CPU as a share of the request, as in `0.9` |

On nodes, at any time: `kubelet.pilotfish/fault`, `NotReady` (the container runtime is down) or
`Silent` (the kubelet is dead: no heartbeats, and pods are neither started nor stopped). Removing
the annotation heals the node.
"""

from typing import Final

PREFIX: Final = "kubelet.pilotfish/"
RUN_SECONDS: Final = PREFIX + "run-seconds"
EXIT_CODE: Final = PREFIX + "exit-code"
PULL_SECONDS: Final = PREFIX + "pull-seconds"
START_SECONDS: Final = PREFIX + "start-seconds"
READY_SECONDS: Final = PREFIX + "ready-seconds"
STOP_SECONDS: Final = PREFIX + "stop-seconds"
FAULT: Final = PREFIX + "fault"
CPU: Final = PREFIX + "cpu"
