"""The command line in this process, for what starting another one adds nothing to."""

from __future__ import annotations

import logging

import pytest

from pilotfish.cli.main import main
from pilotfish.runtime.logs import LOGGER


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, standard output and error."""
    root, log = logging.getLogger(), logging.getLogger(LOGGER)
    before = root.handlers[:], root.level, log.level
    try:
        with pytest.raises(SystemExit) as caught:
            main(arguments)
    finally:  # a command writes its log to what is closed after the test
        root.handlers[:], root.level, log.level = before
    out, err = capsys.readouterr()
    return int(str(caught.value.code)), out, err
