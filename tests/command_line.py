"""The command line in this process, for what starting another one adds nothing to."""

from __future__ import annotations

import pytest

from pilotfish.cli.main import main


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command to its end; return exit code, standard output and error."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    out, err = capsys.readouterr()
    return int(str(caught.value.code)), out, err
