"""What authors import from `pilotfish` itself."""

import subprocess
import sys

import pilotfish
from pilotfish import framework


def test_names_are_those_of_the_framework() -> None:
    for name in pilotfish.__all__:
        assert getattr(pilotfish, name) is getattr(framework, name), name


def test_import_alone_is_cheap() -> None:
    """The version is read by tools that decide nothing."""
    script = "import sys, pilotfish; print(pilotfish.__version__, 'numpy' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [pilotfish.__version__, "False"]
