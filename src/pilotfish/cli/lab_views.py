"""What `pilotfish lab check` prints."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias, get_args

from rich.console import Console
from rich.markup import escape

from pilotfish.lab.examination import Criterion, Question
from pilotfish.lab.findings import CHECKPOINTS, DEFECTS, Finding
from pilotfish.lab.report_check import check_report

Answered: TypeAlias = Sequence[tuple[Question, Finding]]

COLOURS: Final = {"passed": "green", "failed": "red", "not judged": "yellow"}
WIDTH: Final = 11  # of "not judged", and a blank
WEIGHTS: Final[dict[str, int]] = {
    "working scheduler": 30,
    "correct binding logic": 25,
    "policy extension": 25,
    "report": 20,
}
FOR_THE_TEACHER: Final = {
    "working scheduler": "that the code is the group's own, and can be read",
    "correct binding logic": "why a Binding and not a patch: ask",
    "policy extension": "whether the policy is one of their own, and what it trades away",
    "report": "what it says: the choice of nodes, observations, polling against watch",
}


def print_finding(console: Console, question: Question, finding: Finding) -> None:
    """Print a finding as soon as it is there."""
    colour = COLOURS[finding.verdict]
    verdict = f"[{colour}]{finding.verdict:{WIDTH}}[/{colour}]"
    console.print(f"{verdict}{question.claim}: {escape(finding.evidence)}")


def print_outcome(console: Console, checkpoint: int | None, answered: Answered) -> None:
    """Print what it comes to."""
    failed = sum(finding.verdict == "failed" for _, finding in answered)
    about = f"checkpoint {checkpoint} ({CHECKPOINTS[checkpoint]})" if checkpoint else "the lab"
    outcome = f"[red]{failed} failed[/red]" if failed else "[green]passed[/green]"
    open_questions = sum(finding.verdict == "not judged" for _, finding in answered)
    rest = f", {open_questions} not judged" if open_questions else ""
    console.print(f"\n{about}: {outcome}{rest}")


def print_defects(console: Console, answered: Answered) -> None:
    """Print the defects of the list that show."""
    console.print("\nDefects of the lab's list:")
    for number, name in DEFECTS.items():
        about = [finding for question, finding in answered if question.defect == number]
        shown = [finding for finding in about if finding.verdict == "failed"]
        judged = [finding for finding in about if finding.verdict == "passed"]
        if shown:
            evidence = "; ".join(finding.evidence for finding in shown)
            console.print(f"[red]shown[/red]      {number:2}  {name}: {escape(evidence)}")
        elif judged:
            console.print(f"[green]not shown[/green]  {number:2}  {name}")
        else:
            why = about[0].evidence if about else "the examination ended before"
            console.print(f"[yellow]not judged[/yellow] {number:2}  {name}: {escape(why)}")


def print_grade(console: Console, answered: Answered, report: Path | None) -> None:
    """Print the four criteria: what a program judged, and what is left to the teacher."""
    console.print("\nGrade, as far as a program can judge:")
    for criterion in get_args(Criterion):
        findings = [
            finding
            for question, finding in answered
            if question.criterion == criterion and finding.verdict != "not judged"
        ]
        passed = sum(finding.verdict == "passed" for finding in findings)
        weight = WEIGHTS[criterion]
        share = f"{weight * passed / len(findings):.0f}" if findings else "?"
        details = f"{passed} of {len(findings)} probes passed"
        console.print(f"  {criterion:22} {share:>3} of {weight}  {details}")
        console.print(f"  {'':22} left to the teacher: {FOR_THE_TEACHER[criterion]}")
    console.print(f"  {'report':22}   ? of {WEIGHTS['report']}  {escape(check_report(report))}")
    console.print(f"  {'':22} left to the teacher: {FOR_THE_TEACHER['report']}")
