"""`pilotfish` and `python -m pilotfish`."""

import signal
from importlib import import_module


def main() -> None:
    """Run the command line; while it is imported, Ctrl-C ends the process without a word."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    import_module("pilotfish.cli.main").main()


if __name__ == "__main__":
    main()
