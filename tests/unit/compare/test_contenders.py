from __future__ import annotations

import sys

import pytest

from pilotfish.compare.contenders import polling, read_against, watching


def test_placeholders_of_a_command_are_filled_in() -> None:
    mine = read_against("mine=python my.py --name {name} '--config={kubeconfig}'")
    assert mine.is_started
    assert mine.argv("/k") == ["python", "my.py", "--name", "mine", "--config=/k"]


def test_a_name_alone_is_a_scheduler_that_runs_already() -> None:
    there = read_against("default-scheduler")
    assert (there.label, there.scheduler_name) == ("default-scheduler", "default-scheduler")
    assert not there.is_started


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("My_Scheduler", "'My_Scheduler' is no scheduler name"),
        ("=python my.py", "'' is no scheduler name"),
        ("mine=", "there is no command after ="),
        ("mine='", "No closing quotation"),
    ],
)
def test_what_is_neither_is_refused_in_words(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        read_against(text)


def test_our_own_modes_run_this_python() -> None:
    argv = polling(0.5).argv("/k")
    assert argv[:4] == [sys.executable, "-m", "pilotfish", "run"]
    assert argv[argv.index("--interval") + 1] == "0.5"
    assert "polling" in argv
    assert "watch" in watching().argv("/k")
