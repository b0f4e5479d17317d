"""The scheduler core against a model API server on a virtual clock: stories of a whole cluster."""

from collections import Counter, deque
from collections.abc import Callable

from dialogue import Dialogue, of
from make import node, pod
from model_server import Fault, ModelServer, Request
from pilotfish.core.effects import Bound, Effect, WakeAt

TICK_SECONDS = 0.05  # how long news takes


class Story:
    """A scheduler and an API server, and what they told each other.

    Attributes:
        fault: what happens to the n-th request.
        told: the pods of which the scheduler said that they are bound.
    """

    def __init__(self, fault: Callable[[int], Fault] = lambda _: "none") -> None:
        self.server = ModelServer()
        self.dialogue = Dialogue()
        self.fault = fault
        self.told: Counter[str] = Counter()
        self._requests: deque[Request] = deque()
        self._count = 0
        self._wake_at = 0.0

    def run(self, seconds: float) -> None:
        """Let everything go its way for some time, without waiting."""
        end = self.dialogue.now + seconds
        while self.dialogue.now < end:
            for kind in ("nodes", "pods"):
                news = self.server.news[kind]
                while news:
                    self._take(self.dialogue.tell(news.popleft()))
            self._take(self.dialogue.decide())
            while self._requests:
                self._count += 1
                answer = self.server.execute(self._requests.popleft(), self.fault(self._count))
                self._take(self.dialogue.tell(answer))
            now = self.dialogue.now
            if any(self.server.news.values()) or self.dialogue.scheduler.queue.has_ready():
                self.dialogue.now = now + TICK_SECONDS
            else:
                self.dialogue.now = min(end, self._wake_at) if self._wake_at > now else end

    def nodes_of(self, *names: str) -> list[str]:
        """Say where pods are."""
        by_name = {one.name: one.node_name for one in self.server.pods.values()}
        return [by_name[name] for name in names]

    def _take(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Request):
                self._requests.append(effect)
            elif isinstance(effect, WakeAt):
                self._wake_at = effect.at
        self.told.update(bound.name for bound in of(Bound, effects))


def test_mixed_pods_on_twenty_nodes() -> None:
    """Ours are bound, others untouched, impossible ones wait and say why, gated ones wait."""
    story = Story()
    for i in range(20):
        story.server.set_node(node(f"n{i}", cpu="4", pods=10))
    for i in range(150):
        story.server.set_pod(pod(f"ours-{i}", cpu="200m"))
    for i in range(20):
        story.server.set_pod(pod(f"other-{i}", scheduler_name="default-scheduler"))
    story.server.set_pod(pod("huge", cpu="100"))
    story.server.set_pod(pod("gated", scheduling_gates=[{"name": "wait"}]))
    story.run(30.0)
    bound = {name for name in story.told if name.startswith("ours-")}
    assert len(bound) == sum(story.told.values()) == 150
    unbound = {one.name: one for one in story.server.pods.values() if not one.node_name}
    assert len(unbound) == 22
    assert unbound["huge"].status.conditions[0].message == (
        "0/20 nodes are available: 20 Insufficient cpu. no new claims to deallocate, preemption: "
        "0/20 nodes are available: 20 Preemption is not helpful for scheduling."
    )
    assert unbound["gated"].status.conditions == ()
    assert unbound["other-3"].status.conditions == ()


def test_freed_room_goes_to_the_most_important_pod_that_waits() -> None:
    story = Story()
    story.server.set_node(node("n1", cpu="1"))
    story.server.set_pod(pod("first", cpu="1", priority=100))
    story.run(1.0)
    story.server.set_pod(pod("low", cpu="1"))
    story.server.set_pod(pod("high", cpu="1", priority=100))
    story.run(5.0)
    assert story.nodes_of("first", "low", "high") == ["n1", "", ""]
    story.server.delete_pod("uid-first")
    story.run(1.0)
    assert story.nodes_of("low", "high") == ["", "n1"]


def test_every_lost_answer_ends_in_exactly_one_bind_and_no_node_is_overfilled() -> None:
    """Every third request goes wrong in one way or another."""
    faults: tuple[Fault, ...] = ("lost answer", "lost request", "refused")
    story = Story(lambda n: "none" if n % 3 else faults[n // 3 % 3])
    for i in range(5):
        story.server.set_node(node(f"n{i}", cpu="4"))
    for i in range(20):
        story.server.set_pod(pod(f"p{i}", cpu="1"))
    story.run(60.0)
    assert set(story.server.binds.values()) == {1}
    assert len(story.server.binds) == len(story.told) == 20
    assert set(story.told.values()) == {1}
    assert [story.server.free_milli_cpu(f"n{i}") for i in range(5)] == [0] * 5


def test_server_that_answers_nothing_for_a_minute_loses_nothing() -> None:
    story = Story(lambda n: "lost request" if n < 40 else "none")
    story.server.set_node(node("n1"))
    story.server.set_pod(pod("a"))
    story.run(600.0)
    assert story.nodes_of("a") == ["n1"]
    assert story.server.binds == {"uid-a": 1}


def test_quiet_cluster_asks_for_nothing_until_the_five_minute_flush() -> None:
    story = Story()
    story.server.set_node(node("n1", cpu="1"))
    story.server.set_pod(pod("a", cpu="2"))
    story.run(10.0)
    before = story.server.version
    story.run(289.0)
    assert story.server.version == before
    assert story.dialogue.scheduler.queue.counts()["unschedulable"] == 1
