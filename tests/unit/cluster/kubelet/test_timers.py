from pilotfish.cluster.kubelet.timers import Timers


def test_deadlines_come_in_order_and_once() -> None:
    timers: Timers[tuple[str, str]] = Timers()
    timers.set(("pod", "b"), 2.0)
    timers.set(("pod", "a"), 1.0)
    assert timers.pop(0.5) is None
    assert timers.pop(3.0) == ("pod", "a")
    assert timers.pop(3.0) == ("pod", "b")
    assert timers.pop(3.0) is None
    assert timers.next() is None


def test_newer_deadline_replaces_the_older_one() -> None:
    timers: Timers[tuple[str, str]] = Timers()
    timers.set(("pod", "a"), 1.0)
    timers.set(("pod", "a"), 5.0)
    assert timers.next() == 5.0
    timers.set(("pod", "a"), 3.0)
    assert timers.pop(4.0) == ("pod", "a")
    assert timers.next() is None


def test_deadlines_that_were_taken_away_cost_nothing() -> None:
    timers: Timers[tuple[str, str]] = Timers()
    timers.set(("pod", "a"), 5.0)
    for number in range(1000):
        timers.set(("pod", f"gone-{number}"), 1e9)
        timers.set(("pod", f"gone-{number}"), None)
        timers.check_invariants()
    assert timers.pop(1e9) == ("pod", "a")
    assert timers.pop(1e9) is None


def test_deadline_can_be_taken_away_and_set_again() -> None:
    timers: Timers[tuple[str, str]] = Timers()
    timers.set(("pod", "a"), 1.0)
    timers.set(("pod", "a"), None)
    assert timers.next() is None
    timers.set(("pod", "a"), 1.0)
    assert timers.pop(1.0) == ("pod", "a")
    assert timers.pop(1.0) is None
