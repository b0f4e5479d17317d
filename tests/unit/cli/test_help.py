from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from pilotfish.cli.main import cli

TERMINAL_COLUMNS = 80


def commands(group: click.Group, *path: str) -> Iterator[tuple[str, ...]]:
    """Yield the words of all commands, groups among them."""
    yield path
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name)


@pytest.mark.parametrize("command", list(commands(cli)), ids=" ".join)
def test_help_fits_a_terminal(command: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli, [*command, "--help"], terminal_width=TERMINAL_COLUMNS)
    assert shown.exit_code == 0, shown.output
    too_long = [line for line in shown.output.splitlines() if len(line) > TERMINAL_COLUMNS]
    assert too_long == []
