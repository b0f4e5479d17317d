"""The queue of keys: order, timers, back-off."""

from __future__ import annotations

from pilotfish.cluster.controllers.work_queue import SYNCS_AT_ONE_TIME, WorkQueue

A = (0, ("ns", "a"))
B = (1, ("ns", "b"))


def test_keys_are_taken_in_order_of_their_time_and_arrival() -> None:
    queue = WorkQueue()
    queue.add(B, 2.0)
    queue.add(A, 1.0)
    assert queue.next_deadline() == 1.0
    assert list(queue.pop_due(2.0)) == [A, B]
    assert queue.next_deadline() is None


def test_earlier_time_wins_and_a_key_is_taken_once() -> None:
    queue = WorkQueue()
    queue.add(A, 5.0)
    queue.add(A, 1.0)
    queue.add(A, 3.0)
    assert list(queue.pop_due(10.0)) == [A]


def test_failed_key_waits_twice_as_long_each_time_until_it_is_forgotten() -> None:
    queue = WorkQueue()
    deadlines = []
    for _ in range(3):
        queue.retry(A, 0.0)
        deadlines.append(queue.next_deadline())
        list(queue.pop_due(1.0))
    assert deadlines == [0.005, 0.01, 0.02]
    queue.forget(A)
    queue.retry(A, 0.0)
    assert queue.next_deadline() == 0.005


def test_key_that_spins_without_time_passing_is_put_off() -> None:
    queue = WorkQueue()
    taken = 0
    for _ in range(SYNCS_AT_ONE_TIME + 5):
        queue.add(A, 1.0)
        taken += len(list(queue.pop_due(1.0)))
    assert taken == SYNCS_AT_ONE_TIME
    deadline = queue.next_deadline()
    assert deadline is not None
    assert deadline > 1.0
