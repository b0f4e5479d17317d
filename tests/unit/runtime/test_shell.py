import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import pytest

from make import node, pod
from pilotfish.config.settings import SchedulerSettings
from pilotfish.core.effects import Bind, Record
from pilotfish.core.inputs import Applied, BindAnswered, Replaced
from pilotfish.core.scheduler import Scheduler
from pilotfish.plugins.default import default_profile
from pilotfish.runtime.dry_run import NoEvents
from pilotfish.runtime.executor import PodEffect
from pilotfish.runtime.inbox import Inbox
from pilotfish.runtime.shell import Shell

NAME = "my-scheduler"


@dataclass
class Binds:
    """An executor that keeps binds until a test answers them."""

    inbox: Inbox
    limit: int = 1_000_000
    waiting: list[Bind] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_saturated(self) -> bool:
        """Whether the limit is reached."""
        return len(self.waiting) >= self.limit

    @property
    def binds(self) -> int:
        """How many wait."""
        return len(self.waiting)

    def submit(self, effect: PodEffect) -> None:
        """Keep a bind."""
        if isinstance(effect, Bind):
            self.waiting.append(effect)
            self.arrived.set()

    async def reach(self, count: int) -> None:
        """Wait until so many wait; the story's time limit bounds it."""
        while self.binds < count:
            self.arrived.clear()
            await self.arrived.wait()

    def answer(self) -> None:
        """Let all that wait succeed."""
        answered, self.waiting = self.waiting, []
        for bind in answered:
            self.inbox.put(BindAnswered(bind.uid, bind.node_name, "bound", 201))


@dataclass
class Stage:
    """A shell around a real scheduler with back-off times short enough for a test."""

    inbox: Inbox
    binds: Binds
    shell: Shell
    records: list[Record]

    def put_cluster(self, *, nodes: int, pods: int) -> None:
        """Tell of nodes and of pending pods."""
        self.inbox.put(Replaced("nodes", tuple(node(f"n{i}", pods=1000) for i in range(nodes))))
        self.inbox.put(Replaced("pods", tuple(pod(f"p{i}") for i in range(pods))))


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    settings = SchedulerSettings(pod_initial_backoff_seconds=0.01, pod_max_backoff_seconds=0.02)
    kinds = frozenset({"nodes", "pods"})
    made = Scheduler({NAME: default_profile(NAME)}, settings, random.Random(1), kinds)
    yield made
    made.check_invariants()


def play(
    scheduler: Scheduler, story: Callable[[Stage], Awaitable[None]], *, limit: int = 1_000_000
) -> None:
    """Run a story beside a running shell."""

    async def run() -> None:
        inbox, records = Inbox(), list[Record]()
        binds = Binds(inbox, limit)
        shell = Shell(scheduler, inbox, binds, NoEvents(), records.append, time.monotonic)
        running = asyncio.create_task(shell.run())
        async with asyncio.timeout(30):
            await story(Stage(inbox, binds, shell, records))
        running.cancel()

    asyncio.run(run())


def test_backlog_is_decided_in_slices_that_others_run_between(scheduler: Scheduler) -> None:
    async def story(stage: Stage) -> None:
        stage.put_cluster(nodes=10, pods=500)
        turns = 0
        while stage.binds.binds < 500:
            await asyncio.sleep(0)
            turns += 1
        assert turns > 10

    play(scheduler, story)


def test_nothing_is_decided_while_the_executor_has_its_hands_full(scheduler: Scheduler) -> None:
    async def story(stage: Stage) -> None:
        stage.put_cluster(nodes=2, pods=300)
        await stage.binds.reach(10)
        under_way = stage.binds.binds
        for _ in range(20):
            await stage.shell.caught_up()
        assert stage.binds.binds == under_way < 300
        done = 0
        while done < 300:
            await stage.binds.reach(min(10, 300 - done))
            done += stage.binds.binds
            stage.binds.answer()

    play(scheduler, story, limit=10)


def test_settled_waits_for_the_binds_under_way(scheduler: Scheduler) -> None:
    async def story(stage: Stage) -> None:
        stage.put_cluster(nodes=1, pods=1)
        settled = asyncio.create_task(stage.shell.settled())
        await stage.binds.reach(1)
        await stage.shell.caught_up()
        assert not settled.done()
        stage.binds.answer()
        await settled

    play(scheduler, story)


def test_alarm_wakes_the_scheduler_without_any_input(scheduler: Scheduler) -> None:
    """The pod is in back-off when the node comes; only the clock can bring it back."""

    async def story(stage: Stage) -> None:
        stage.put_cluster(nodes=0, pods=1)
        await stage.shell.settled()
        stage.inbox.put(Applied("nodes", node("late")))
        await stage.binds.reach(1)

    play(scheduler, story)


def test_shell_that_stops_deciding_still_takes_answers(scheduler: Scheduler) -> None:
    async def story(stage: Stage) -> None:
        stage.put_cluster(nodes=1, pods=1)
        await stage.binds.reach(1)
        stage.shell.stop_deciding()
        stage.inbox.put(Applied("pods", pod("late")))
        stage.binds.answer()
        await stage.shell.settled()
        assert [type(record).__name__ for record in stage.records].count("Bound") == 1
        assert stage.binds.binds == 0

    play(scheduler, story)
