"""Contenders: the schedulers that are compared."""

from __future__ import annotations

import re
import shlex
import sys
from typing import Final

import msgspec

SCHEDULER_NAME: Final = "my-scheduler"
DNS_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


class Contender(msgspec.Struct, frozen=True):
    """A scheduler that is measured.

    Attributes:
        label: what it is called in tables.
        scheduler_name: what pods ask for.
        command: starts it; `{kubeconfig}` and `{name}` in it are filled in. Empty: it runs already,
            so that its process and its requests cannot be seen.
        interval_seconds: of our own polling.
    """

    label: str
    scheduler_name: str = SCHEDULER_NAME
    command: tuple[str, ...] = ()
    interval_seconds: float | None = None

    @property
    def is_started(self) -> bool:
        """Whether it is started for the measurement."""
        return bool(self.command)

    def argv(self, kubeconfig: str) -> list[str]:
        """Return the command with its placeholders filled in."""
        name = self.scheduler_name
        return [w.replace("{kubeconfig}", kubeconfig).replace("{name}", name) for w in self.command]


def polling(interval_seconds: float) -> Contender:
    """Return pilotfish, polling."""
    options = ("--mode", "polling", "--interval", f"{interval_seconds:g}")
    return Contender(
        f"polling {interval_seconds:g} s",
        command=_ours(*options),
        interval_seconds=interval_seconds,
    )


def watching() -> Contender:
    """Return pilotfish, watching."""
    return Contender("watch", command=_ours("--mode", "watch"))


def read_against(text: str) -> Contender:
    """Read NAME=COMMAND, or the NAME of a scheduler that runs already.

    Raises:
        ValueError: it is neither.
    """
    name, separator, command = text.partition("=")
    if not DNS_NAME.fullmatch(name):
        raise ValueError(f"{text}: {name!r} is no scheduler name: use lower case, digits, - and .")
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise ValueError(f"{text}: the command cannot be read: {error}") from error
    if separator and not words:
        raise ValueError(f"{text}: there is no command after =")
    return Contender(name, name, words)


def _ours(*options: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", "pilotfish", "run", *options),
        *("--scheduler-name", "{name}", "--kubeconfig", "{kubeconfig}"),
    )
