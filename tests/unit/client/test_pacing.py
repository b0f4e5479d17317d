import random

from pilotfish.client.pacing import Backoff, TokenBucket


def test_a_burst_goes_out_at_once_and_the_rest_at_qps() -> None:
    bucket = TokenBucket(qps=10, burst=3)

    assert [bucket.reserve(100.0) for _ in range(5)] == [0.0, 0.0, 0.0, 0.1, 0.2]


def test_tokens_come_back_with_time_but_never_beyond_the_burst() -> None:
    bucket = TokenBucket(qps=10, burst=2)
    for _ in range(4):
        bucket.reserve(0.0)

    assert bucket.reserve(0.3) == 0.0
    assert [bucket.reserve(1000.0) for _ in range(3)] == [0.0, 0.0, 0.1]


def test_a_rate_of_zero_is_unlimited() -> None:
    bucket = TokenBucket(qps=0, burst=1)

    assert {bucket.reserve(0.0) for _ in range(10_000)} == {0.0}


def test_a_burst_of_zero_is_a_second_s_worth() -> None:
    bucket = TokenBucket(qps=2)

    assert [bucket.reserve(5.0) for _ in range(3)] == [0.0, 0.0, 0.5]


def test_backoff_doubles_to_its_cap_and_is_stretched_by_less_than_itself() -> None:
    backoff = Backoff(random.Random(1))

    pauses = [backoff.next() for _ in range(8)]

    floors = [0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0, 30.0]
    assert all(floor <= pause < 2 * floor for floor, pause in zip(floors, pauses, strict=True)), (
        pauses
    )
    assert pauses[-1] != pauses[-2]


def test_backoff_starts_over_after_success() -> None:
    backoff = Backoff(random.Random(1))
    for _ in range(5):
        backoff.next()

    backoff.reset()

    assert backoff.next() < 1.6
