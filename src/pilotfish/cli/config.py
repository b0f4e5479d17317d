"""`pilotfish config`: check and show configuration files."""

from __future__ import annotations

from pathlib import Path

import click

from pilotfish.cli.policy_options import policies_option
from pilotfish.config.defaults import complete
from pilotfish.config.errors import ConfigurationError, Problem
from pilotfish.config.types import KubeSchedulerConfiguration
from pilotfish.config.writing import to_yaml, without_effect
from pilotfish.framework.registry import Registry
from pilotfish.plugins.default import default_registry
from pilotfish.plugins.policies import Policy, configuration_with, registry_with
from pilotfish.plugins.profiles import profiles_of

CHECK_HELP = """Say whether a configuration file can be run, and what in it has no effect.

FILE is a KubeSchedulerConfiguration of kubescheduler.config.k8s.io/v1, in YAML or JSON. Each error
is one line with the path of the field. Exit code 0: it can be run; 1: it cannot."""

SHOW_HELP = """Write a configuration with every default filled in, as YAML.

kube-scheduler v1.36 accepts what this writes as long as there are no policies in it."""


@click.group("config", short_help="Check and show configuration files.")
def config_group() -> None:
    """Check and show configuration files."""


@config_group.command("check", help=CHECK_HELP, short_help="Say whether a file can be run.")
@click.argument("file", type=click.Path(path_type=Path))
@policies_option
def check_command(file: Path, policies: tuple[Policy, ...]) -> None:
    """Check one file."""
    configuration = read_file(file, registry_with(policies))
    for problem in without_effect(configuration):
        click.echo(f"warning: {problem.path} has no effect: {problem.reason}", err=True)
    names = ", ".join(profile.scheduler_name for profile in configuration.profiles)
    click.echo(f"{file}: good; profiles: {names}")


@config_group.command("show", help=SHOW_HELP, short_help="Write a file with every default.")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What to complete.  [default: nothing, so that all is default]",
)
@policies_option
def show_command(file: Path | None, policies: tuple[Policy, ...]) -> None:
    """Write a configuration to standard output."""
    if file:
        configuration = read_file(file, registry_with(policies))
    else:
        configuration = complete(KubeSchedulerConfiguration())
    click.echo(to_yaml(configuration_with(policies, configuration, only=False)), nl=False)


def read_file(file: Path, registry: Registry | None = None) -> KubeSchedulerConfiguration:
    """Read a configuration that can be run; its errors name the file.

    Args:
        file: what to read.
        registry: the plugins that it may name; None is pilotfish's own.

    Raises:
        ConfigurationError: it cannot be read, or not be run.
    """
    try:
        text = file.read_text(encoding="utf-8")
        configuration, _ = profiles_of(text, registry or default_registry())
    except ConfigurationError as error:
        problems = [Problem(str(file), str(problem)) for problem in error.problems]
        raise ConfigurationError(problems) from error
    except OSError as error:
        raise ConfigurationError([Problem(str(file), error.strerror or str(error))]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([Problem(str(file), "this is no text in UTF-8")]) from error
    return configuration
