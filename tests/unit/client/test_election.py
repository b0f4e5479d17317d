"""An election as a dialogue: the clock says when, the server answers, one candidate leads."""

from __future__ import annotations

import random

import msgspec
import pytest

from pilotfish.client.election import (
    Election,
    ElectionSettings,
    Failed,
    Lease,
    LeaseSpec,
    Lost,
    NoLease,
    ReadLease,
    WakeAt,
    WriteLease,
)

SETTINGS = ElectionSettings(namespace="kube-system", name="my-scheduler", identity="me")


def lease(version: int = 1, **spec: object) -> Lease:
    metadata = msgspec.Raw(msgspec.json.encode({"resourceVersion": str(version)}))
    return Lease(metadata, msgspec.convert(spec, LeaseSpec))


def held(by: str, renewed: str = "then", *, seconds: int = 15, transitions: int = 3) -> Lease:
    return lease(
        holderIdentity=by,
        leaseDurationSeconds=seconds,
        acquireTime="before",
        renewTime=renewed,
        leaseTransitions=transitions,
    )


def candidate() -> Election:
    return Election(SETTINGS, random.Random(1))


def written(step: object, version: int = 2) -> Lease:
    """Answer a write as the server does."""
    assert isinstance(step, WriteLease)
    metadata = msgspec.Raw(msgspec.json.encode({"resourceVersion": str(version)}))
    return Lease(metadata, step.spec)


def leader(now: float = 0.0) -> Election:
    """Return a candidate that has just made the Lease."""
    made = candidate()
    made.wake(now, "now")
    made.answered(written(made.answered(NoLease(), now, "now")), now, "now")
    assert made.leads(now)
    return made


def test_a_lease_that_nobody_made_is_made() -> None:
    made = candidate()
    assert made.wake(0.0, "now") == ReadLease()
    step = made.answered(NoLease(), 0.1, "now")
    spec = LeaseSpec(
        holder_identity="me",
        lease_duration_seconds=15,
        acquire_time="now",
        renew_time="now",
        lease_transitions=0,
    )
    assert step == WriteLease(spec)
    assert not made.leads(0.1)
    assert isinstance(made.answered(written(step), 0.2, "now"), WakeAt)
    assert made.leads(0.2)


def test_a_lease_that_somebody_holds_is_left_until_it_stood_still_for_its_duration() -> None:
    made = candidate()
    made.wake(100.0, "now")
    now, step = 100.0, made.answered(held("other"), 100.0, "now")
    while now < 115.0:
        assert isinstance(step, WakeAt)
        assert now < step.at <= min(now + 2.0, 115.0)
        now = step.at
        assert made.wake(now, "now") == ReadLease()
        step = made.answered(held("other"), now, "now")
    assert now == 115.0
    assert isinstance(step, WriteLease)
    assert step.spec.lease_transitions == 4


def test_a_lease_that_is_renewed_is_left_whatever_its_times_say() -> None:
    """Whether it moves counts, not whether its clock agrees with ours."""
    made = candidate()
    made.wake(0.0, "now")
    for second in range(0, 60, 2):
        step = made.answered(held("other", renewed=f"long ago, {second}"), float(second), "now")
        assert isinstance(step, WakeAt)
        assert made.wake(second + 2.0, "now") == ReadLease()


def test_a_released_lease_is_taken_at_once() -> None:
    made = candidate()
    made.wake(0.0, "now")
    step = made.answered(held("", seconds=1), 0.0, "now")
    assert isinstance(step, WriteLease)
    assert step.metadata == held("").metadata


def test_a_leader_renews_without_looking_first() -> None:
    made = leader()
    step = made.wake(2.0, "later")
    assert isinstance(step, WriteLease)
    assert (step.spec.acquire_time, step.spec.renew_time) == ("now", "later")
    assert step.metadata == written(step).metadata
    made.answered(written(step, 3), 2.1, "later")
    assert made.leads(11.9)


def test_a_leader_that_is_refused_looks_what_is_there() -> None:
    made = leader()
    made.wake(2.0, "now")
    assert made.answered(Failed(), 2.1, "now") == ReadLease()
    step = made.answered(held("me"), 2.2, "now")
    assert isinstance(step, WriteLease)
    assert step.spec.lease_transitions == 3


def test_a_leader_whose_lease_was_deleted_makes_it_again() -> None:
    made = leader()
    made.wake(2.0, "now")
    made.answered(Failed(), 2.1, "now")
    step = made.answered(NoLease(), 2.2, "now")
    assert step == WriteLease(written(step).spec, None)


def test_a_leader_leads_no_more_when_its_time_to_renew_is_over() -> None:
    made = leader(now=0.0)
    assert made.leads(9.9)
    assert not made.leads(10.0)
    lost = Lost("it could not be renewed for 10 s")
    assert made.wake(10.0, "now") == lost
    assert made.wake(11.0, "now") == lost


def test_the_time_to_renew_begins_when_the_renewal_was_sent() -> None:
    """The server may have taken it then, and others count from that."""
    made = leader(now=0.0)
    made.wake(2.0, "now")
    made.answered(written(made.wake(2.0, "now"), 3), 6.0, "now")
    assert made.deadline() == 12.0


def test_an_answer_that_comes_too_late_loses_the_lease() -> None:
    made = leader(now=0.0)
    step = made.wake(2.0, "now")
    assert isinstance(made.answered(written(step), 30.0, "now"), Lost)


def test_a_leader_that_sees_another_one_has_lost() -> None:
    made = leader()
    made.wake(2.0, "now")
    made.answered(Failed(), 2.1, "now")
    assert made.answered(held("other"), 2.2, "now") == Lost("other holds it")
    assert not made.leads(2.2)


def test_a_candidate_that_is_refused_pauses() -> None:
    made = candidate()
    made.wake(0.0, "now")
    made.answered(held(""), 0.0, "now")
    step = made.answered(Failed(), 0.1, "now")
    assert isinstance(step, WakeAt)
    assert step.at > 1.0


def test_a_lease_that_ran_out_and_cannot_be_had_is_not_asked_for_without_a_pause() -> None:
    made = candidate()
    made.wake(0.0, "now")
    made.answered(held("other"), 0.0, "now")
    made.wake(15.0, "now")
    made.answered(held("other"), 15.0, "now")
    step = made.answered(Failed(), 15.1, "now")
    assert isinstance(step, WakeAt)
    assert step.at > 16.0


def test_a_call_before_its_time_changes_nothing() -> None:
    made = candidate()
    made.wake(0.0, "now")
    step = made.answered(held("other"), 0.0, "now")
    assert isinstance(step, WakeAt)
    assert made.wake(0.5, "now") == step


def test_a_leader_gives_the_lease_up_by_leaving_its_name_out() -> None:
    made = leader()
    step = made.release(held("me"), "end")
    assert isinstance(step, WriteLease)
    assert (step.spec.holder_identity, step.spec.lease_duration_seconds) == ("", 1)
    assert not made.leads(0.1)


@pytest.mark.parametrize("seen", [held("other"), NoLease(), Failed()])
def test_a_lease_that_is_not_ours_any_more_is_left_alone(seen: Lease | NoLease | Failed) -> None:
    made = leader()
    assert made.release(seen, "end") is None
    assert not made.leads(0.1)


@pytest.mark.parametrize("seconds", [1.5, 14.01])
def test_a_lease_lasts_whole_seconds_and_never_less_than_asked_for(seconds: float) -> None:
    settings = msgspec.structs.replace(SETTINGS, lease_seconds=seconds)
    made = Election(settings, random.Random(1))
    made.wake(0.0, "now")
    step = made.answered(NoLease(), 0.0, "now")
    assert isinstance(step, WriteLease)
    assert step.spec.lease_duration_seconds == int(seconds) + 1
