"""The examination: which probes there are, in their order, and what each of them counts for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, Literal, TypeAlias

import msgspec

from pilotfish.client import ApiClient, ClientError
from pilotfish.compare.contenders import Contender
from pilotfish.compare.scheduler_process import SchedulerProcess
from pilotfish.lab.findings import Finding
from pilotfish.lab.probes.binding import (
    a_pod_is_tried_again,
    choices_count_at_once,
    every_namespace_is_served,
    one_pod_is_bound,
    pods_of_others_are_left_alone,
    the_next_pods_are_bound,
)
from pilotfish.lab.probes.placement import (
    a_rejection_harms_nobody,
    room_is_respected,
    taints_are_respected,
)
from pilotfish.lab.probes.reaction import it_reacts
from pilotfish.lab.probes.traffic import (
    a_cut_watch_is_resumed,
    a_refused_bind_is_not_stormed,
    each_pod_is_bound_once,
    it_rests_when_idle,
    lists_do_not_grow_with_pods,
)
from pilotfish.lab.probes.words import (
    a_bind_is_recorded,
    a_rejection_is_said,
    the_log_says_bound,
    the_role_is_its_own,
)
from pilotfish.lab.probing_proxy import ProbingProxy
from pilotfish.lab.subject import Subject

Criterion: TypeAlias = Literal["working scheduler", "correct binding logic", "policy extension"]
Probe: TypeAlias = Callable[[Subject], Awaitable[Finding]]


class Question(msgspec.Struct, frozen=True):
    """A probe, and what it counts for.

    Attributes:
        claim: what the scheduler does if it passes.
        defect: the number of the defect that a failure shows; 0 for none.
        checkpoints: those to whose acceptance it belongs.
        criterion: the criterion of the grade; None counts for none.
    """

    claim: str
    probe: Probe
    defect: int = 0
    checkpoints: tuple[int, ...] = ()
    criterion: Criterion | None = None


WORKING: Final = "working scheduler"
BINDING: Final = "correct binding logic"
POLICY: Final = "policy extension"

QUESTIONS: Final = (
    Question("binds a pod", one_pod_is_bound, 0, (1, 2, 3, 4, 5), WORKING),
    Question("says so in its log", the_log_says_bound, 0, (3,), WORKING),
    Question("records an Event for a bind", a_bind_is_recorded, 13, (3,), WORKING),
    Question("binds one pod after the other", the_next_pods_are_bound, 1, (2,), WORKING),
    Question("reacts", it_reacts, 0, (4,), WORKING),
    Question("leaves others' pods alone", pods_of_others_are_left_alone, 6, (2,), BINDING),
    Question("serves all namespaces", every_namespace_is_served, 11, (3,), BINDING),
    Question("tries a pod again", a_pod_is_tried_again, 5, (), BINDING),
    Question("respects taints", taints_are_respected, 8, (5,), POLICY),
    Question("spreads pods that come at once", choices_count_at_once, 7, (5,), POLICY),
    Question("rests when nothing is pending", it_rests_when_idle, 3, (4,)),
    Question("does not list for each pod", lists_do_not_grow_with_pods, 2, (4,)),
    Question("goes on when watches are cut", a_cut_watch_is_resumed, 4, (), WORKING),
    Question("pauses after a refused bind", a_refused_bind_is_not_stormed, 12, (5,), POLICY),
    Question("leaves what fits nowhere pending", room_is_respected, 9, (5,), POLICY),
    Question("says why a pod waits", a_rejection_is_said, 13),
    Question("goes on after a rejection", a_rejection_harms_nobody, 10, (), WORKING),
    Question("binds each pod once", each_pod_is_bound_once, 5, (2,), BINDING),
    Question("has a role of its own", the_role_is_its_own, 11, (3,)),
)
"""In an order in which a later probe can build on what an earlier one left behind."""


def questions_of(checkpoint: int | None) -> Sequence[Question]:
    """Return the questions of a checkpoint; all of them without one."""
    if checkpoint is None:
        return QUESTIONS
    return [question for question in QUESTIONS if checkpoint in question.checkpoints]


@asynccontextmanager
async def examined(
    client: ApiClient,
    contender: Contender,
    namespace: str,
    folder: Path,
    patience_seconds: float,
) -> AsyncIterator[Subject]:
    """Prepare a namespace and, where it has a command, the scheduler; both end with the block."""
    subject = Subject(client, namespace, contender.scheduler_name, patience_seconds)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(subject.cluster.namespace(namespace))
        await stack.enter_async_context(subject.cluster.watched_pods(namespace, subject.meter.take))
        if contender.is_started:
            subject.proxy = ProbingProxy(client.config)
            kubeconfig = folder / "kubeconfig"
            await stack.enter_async_context(subject.proxy.serving(kubeconfig))
            argv = contender.argv(str(kubeconfig))
            subject.process = await stack.enter_async_context(
                SchedulerProcess.started(argv, kubeconfig, folder / "log")
            )
        yield subject


async def ask(
    subject: Subject, questions: Sequence[Question], tell: Callable[[Question, Finding], None]
) -> list[tuple[Question, Finding]]:
    """Ask the questions in turn. Without a first bind, none of the others makes sense."""
    answered = []
    for question in questions:
        try:
            finding = _of_living(subject, await question.probe(subject))
        except ClientError as error:
            finding = Finding("not judged", f"the API server refused: {error}")
        tell(question, finding)
        answered.append((question, finding))
        if question.probe is one_pod_is_bound and finding.verdict == "failed":
            break
    return answered


def _of_living(subject: Subject, finding: Finding) -> Finding:
    """Take back what only passed because a process that has ended does nothing wrong."""
    ended = subject.process.ended if subject.process else ""
    if ended and finding.verdict == "passed":
        return Finding("not judged", ended.partition(";")[0])
    return finding
