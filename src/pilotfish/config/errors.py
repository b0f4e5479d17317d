"""Errors of configuration.

ConfigError               a setting that cannot be; the sentence names it and says what is allowed
└── ConfigurationError    all that is wrong with a configuration file, each with its path
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

import msgspec


class ConfigError(ValueError):
    """A setting that cannot be."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong at one path of a file; the path is empty for the file as a whole."""

    path: str
    reason: str

    def __str__(self) -> str:
        """Say both, as one line."""
        return f"{self.path}: {self.reason}" if self.path else self.reason


class ConfigurationError(ConfigError):
    """A configuration file that cannot be run."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(map(str, problems)))
        self.problems = tuple(problems)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown name: the nearest, or all that there are."""
    names = sorted(known)
    lower = {one.lower(): one for one in names}
    close = get_close_matches(name.lower(), lower, n=1)
    return f"did you mean {lower[close[0]]!r}?" if close else f"there are {', '.join(names)}"
