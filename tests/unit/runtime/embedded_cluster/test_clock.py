import asyncio
import random
from collections import Counter

from pilotfish.cluster.cluster import Cluster
from pilotfish.cluster.kinds import PODS, SERVICE_ACCOUNTS
from pilotfish.cluster.settings import ClusterSettings
from pilotfish.runtime.embedded_cluster.clock import TURNS, ClusterClock, ForwardClock

NOW = 1_800_000_000.0
BACKLOG = 300  # pods; a step sees fewer of them


def crowded_cluster() -> Cluster:
    """A cluster whose kubelets have pods to look at for some steps."""
    cluster = Cluster(rng=random.Random(1), settings=ClusterSettings(), now=NOW)
    account = {"metadata": {"name": "default", "namespace": "default"}}
    cluster.client.create(SERVICE_ACCOUNTS, account, NOW)
    for number in range(BACKLOG):
        metadata = {"name": f"p{number}", "namespace": "default"}
        containers = [{"name": "c", "image": "nginx"}]
        spec = {"nodeName": f"node-{number % 3 + 1}", "containers": containers}
        cluster.client.create(PODS, {"metadata": metadata, "spec": spec}, NOW)
    return cluster


def test_others_get_several_turns_between_the_steps_of_a_backlog() -> None:
    cluster = crowded_cluster()
    turns: Counter[int] = Counter()  # by the resourceVersion that a step left behind

    async def story() -> None:
        clock = ClusterClock(cluster, lambda: NOW, lambda: None)
        ticking = asyncio.create_task(clock.run(lambda _effect: None))
        while (
            max(turns.values(), default=0) <= 2 * TURNS
        ):  # until the kubelets wait for time to pass
            await asyncio.sleep(0)
            turns[cluster.store.resource_version] += 1
        ticking.cancel()

    asyncio.run(story())
    *steps, _ = turns.values()
    assert len(steps) > 1
    assert min(steps) == TURNS


def test_time_goes_on_where_the_clock_is_set_back() -> None:
    times = iter([100.0, 101.0, 41.0, 42.0, 40.0, 200.0])
    clock = ForwardClock(lambda: next(times))
    assert [clock() for _ in range(5)] == [101.0, 101.0, 102.0, 102.0, 262.0]
