"""`pilotfish` and `python -m pilotfish`."""

import io
import os
import signal
import sys
from importlib import import_module


def main() -> None:
    """Run the command line; while it is imported, Ctrl-C ends the process without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    _complete_standard_streams()
    import_module("pilotfish.cli.main").main()


def _complete_standard_streams() -> None:
    """Open those that are closed, whose numbers sockets would get; write in any encoding."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


if __name__ == "__main__":
    main()
