"""What does it ask of the API server? Seen only where it was started behind a proxy."""

from __future__ import annotations

import asyncio
from collections import Counter
from http import HTTPStatus
from typing import Final

from pilotfish.lab.findings import Finding, Verdict
from pilotfish.lab.probing_proxy import ProbingProxy
from pilotfish.lab.subject import LOOK_SECONDS, Subject

IDLE_SECONDS: Final = 3.0
BUSY_REQUESTS_A_SECOND: Final = 20.0  # polling every half second lists two kinds: 4
BURST: Final = 20
LISTS_A_POD: Final = 0.9
STUBBORN_TRIES: Final = 15
STUBBORN_SECONDS: Final = 5.0
WATCH_LOOKS: Final = 25  # while one of them, a scheduler that watches has a watch open
UNSEEN: Final = "only --command shows requests: the scheduler is then started behind a proxy"


async def it_rests_when_idle(subject: Subject) -> Finding:
    """With nothing to do, it asks for little."""
    if subject.proxy is None:
        return Finding("not judged", UNSEEN)
    before = subject.proxy.traffic.requests.total()
    await asyncio.sleep(IDLE_SECONDS)
    rate = (subject.proxy.traffic.requests.total() - before) / IDLE_SECONDS
    verdict: Verdict = "failed" if rate > BUSY_REQUESTS_A_SECOND else "passed"
    return Finding(verdict, f"{rate:.1f} requests a second with nothing pending")


async def lists_do_not_grow_with_pods(subject: Subject) -> Finding:
    """Placing a pod does not list the cluster."""
    if subject.proxy is None:
        return Finding("not judged", UNSEEN)
    before = _lists(subject.proxy.traffic.requests)
    names = [f"many-{number}" for number in range(BURST)]
    pods = await subject.create_at_once(names)
    done = await subject.is_bound(*pods)
    lists = _lists(subject.proxy.traffic.requests) - before
    await subject.delete(*names)
    if not done:
        late = sum(pod.bound is None for pod in pods)
        return Finding("failed", f"{late} of {BURST} pods at once were not bound")
    verdict: Verdict = "failed" if lists > LISTS_A_POD * BURST else "passed"
    return Finding(verdict, f"{lists} lists for {BURST} pods")


async def a_cut_watch_is_resumed(subject: Subject) -> Finding:
    """When its watches are cut, it goes on."""
    if subject.proxy is None:
        return Finding("not judged", UNSEEN)
    cut = await _cut(subject.proxy)
    pod = await subject.create("after-cut")
    if not await subject.is_bound(pod):
        why = f"after {cut} watches were cut, a new pod was not bound"
        if subject.process and subject.process.ended:
            why += f": {subject.process.ended}"
        return Finding("failed", why)
    said = f"{cut} watches were cut" if cut else "it has no watch"
    return Finding("passed", f"{said}; the next pod was bound")


async def a_refused_bind_is_not_stormed(subject: Subject) -> Finding:
    """A bind that is refused is tried again with pauses, if at all."""
    if subject.proxy is None:
        return Finding("not judged", UNSEEN)
    subject.proxy.refused.add("refused")
    await subject.create("refused")
    await asyncio.sleep(STUBBORN_SECONDS + subject.usual_seconds())
    tries = sum(bind.name == "refused" for bind in subject.proxy.binds)
    subject.proxy.refused.discard("refused")
    await subject.delete("refused")
    verdict: Verdict = "failed" if tries > STUBBORN_TRIES else "passed"
    if tries == 0:
        return Finding("not judged", "no bind was tried")
    why = f"{tries} tries in {STUBBORN_SECONDS:g} s of a bind that is refused with 500"
    return Finding(verdict, why)


async def each_pod_is_bound_once(subject: Subject) -> Finding:
    """No pod is bound twice, and none that is gone."""
    if subject.proxy is None:
        return Finding("not judged", UNSEEN)
    binds = [bind for bind in subject.proxy.binds if bind.name != "refused"]
    gone = [bind.name for bind in binds if bind.status == HTTPStatus.NOT_FOUND]
    done = Counter(bind.name for bind in binds if bind.status < HTTPStatus.MULTIPLE_CHOICES)
    conflicts = [bind.name for bind in binds if bind.status == HTTPStatus.CONFLICT]
    again = [name for name in conflicts if done[name]]
    if again:
        why = f"{again[0]} was bound already when it was bound again (of {len(again)} times)"
        return Finding("failed", why)
    if gone:
        return Finding("failed", f"{gone[0]} was deleted when it was bound")
    return Finding("passed", f"{len(binds)} binds, none of them twice")


async def _cut(proxy: ProbingProxy) -> int:
    """Cut the watches that are open, or soon will be; returns how many."""
    for _ in range(WATCH_LOOKS):
        if cut := proxy.cut_watches():
            return cut
        await asyncio.sleep(LOOK_SECONDS)
    return 0


def _lists(requests: Counter[str]) -> int:
    return sum(count for kind, count in requests.items() if kind.startswith("list "))
