"""How quickly does it react?"""

from __future__ import annotations

import asyncio
from typing import Final

from pilotfish.lab.findings import Finding
from pilotfish.lab.subject import Subject

PODS: Final = 6
GAP_SECONDS: Final = 0.37  # no divisor of a usual polling interval
WATCH_SECONDS: Final = 0.3  # a watch needs less, on any machine


async def it_reacts(subject: Subject) -> Finding:
    """Pods that come at different moments are bound; the mean says whether by polling or watch."""
    pods = []
    for number in range(PODS):
        pods.append(await subject.create(f"quick-{number}"))
        await asyncio.sleep(GAP_SECONDS)
    if not await subject.is_bound(*pods):
        late = sum(pod.bound is None for pod in pods)
        return Finding("failed", f"{late} of {PODS} pods were not bound")
    waits = [pod.bound - pod.created for pod in pods if pod.bound is not None]
    mean = sum(waits) / len(waits)
    kind = (
        "a watch does so"
        if mean < WATCH_SECONDS
        else f"as polling does at an interval of about {2 * mean:.1f} s; a watch is quicker"
    )
    return Finding("passed", f"bound after {mean:.2f} s on average, {kind}")
