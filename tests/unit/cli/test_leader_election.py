"""Flags of leader election beside what a file says."""

from __future__ import annotations

from typing import Any

import click
import pytest

from pilotfish.cli.leader_election import take_election
from pilotfish.client.election import ElectionSettings
from pilotfish.config.types import LeaderElection

SILENT = LeaderElection()
ASKED = LeaderElection(leader_elect=True, lease_duration="30s", resource_name="from-file")


def taken(
    file: LeaderElection = SILENT, name: str = "my-scheduler", **flags: Any
) -> ElectionSettings | None:
    options = dict.fromkeys(LeaderElection.__struct_fields__) | flags
    del options["resource_lock"]
    return take_election(options, file, name)


def settings(
    file: LeaderElection = SILENT, name: str = "my-scheduler", **flags: Any
) -> ElectionSettings:
    found = taken(file, name, **flags)
    assert found is not None
    return found


def test_nobody_is_elected_unless_asked() -> None:
    assert taken() is None


def test_the_durations_are_those_of_upstream() -> None:
    found = settings(leader_elect=True)
    assert (found.lease_seconds, found.renew_seconds, found.retry_seconds) == (15.0, 10.0, 2.0)


@pytest.mark.parametrize(
    ("name", "lease"), [("my-scheduler", "my-scheduler"), ("default-scheduler", "kube-scheduler")]
)
def test_the_lease_is_named_for_the_scheduler(name: str, lease: str) -> None:
    found = settings(name=name, leader_elect=True)
    assert (found.namespace, found.name) == ("kube-system", lease)


def test_a_file_can_ask_for_an_election() -> None:
    found = settings(ASKED)
    assert (found.name, found.lease_seconds) == ("from-file", 30.0)


def test_flags_go_before_the_file() -> None:
    found = settings(ASKED, resource_name="from-flag", renew_deadline="20s")
    assert (found.name, found.lease_seconds, found.renew_seconds) == ("from-flag", 30.0, 20.0)
    assert taken(ASKED, leader_elect=False) is None


def test_two_processes_are_two_candidates() -> None:
    assert settings(leader_elect=True).identity != settings(leader_elect=True).identity


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        ({"renew_deadline": "5s"}, "does nothing without --leader-elect"),
        ({"leader_elect": True, "lease_duration": "10s"}, "must be greater than renewDeadline"),
        ({"leader_elect": True, "retry_period": "9s"}, "1.2 times retryPeriod"),
        ({"leader_elect": True, "resource_name": "A"}, "no Lease can be named 'A'"),
    ],
)
def test_what_does_not_go_together_is_refused(flags: dict[str, Any], complaint: str) -> None:
    with pytest.raises(click.UsageError, match=complaint):
        taken(**flags)


def test_a_scheduler_whose_name_names_no_lease_needs_another_name_for_it() -> None:
    with pytest.raises(click.UsageError, match="--leader-elect-resource-name"):
        taken(name="My_Scheduler", leader_elect=True)
    assert settings(name="My_Scheduler", leader_elect=True, resource_name="mine").name == "mine"
