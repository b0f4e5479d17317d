"""Policies: found by file, module, installed name or shipped name, and loaded.

A policy is code that the user names; it is imported as any Python file is, and runs with the rights
of this process.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.machinery import SourceFileLoader
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Final, TypeGuard

from pilotfish.config.errors import ConfigurationError, Problem
from pilotfish.framework.per_node import PerNodePlugin
from pilotfish.framework.plugin import Plugin
from pilotfish.plugins.policies import Policy
from pilotfish.runtime.policy_faults import line_of, require_sound

GROUP: Final = "pilotfish.policies"
MAX_WEIGHT: Final = 2**31 - 1  # as in a configuration file
PACKAGE: Final = Path(__file__).parents[1]
SHIPPED: Final = (PACKAGE / "policies", PACKAGE.parents[1] / "examples" / "policies")
"""Where the policies of this project are: in the installed package, in the source tree."""

_REFERENCE: Final = re.compile(r"(?P<where>.+?)(=(?P<weight>[^=/]*))?")
_FILE: Final = re.compile(r"(?P<path>.*\.py)(:(?P<name>[^:/]*))?")
_EXPECTED: Final = "expected a class that derives from PerNodePlugin or Plugin"


class PolicyReferenceError(ValueError):
    """A reference that leads to no policy; the sentence says what it may have meant."""


def load_policy(reference: str) -> Policy:
    """Load what `FILE.py[:Name]`, `module:Name` or a name means, with `=WEIGHT` behind it or not.

    Raises:
        PolicyReferenceError: it means nothing, or several things.
        ConfigurationError: what it means is no working policy.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise PolicyReferenceError(f"{reference!r} is not FILE.py[:NAME][=WEIGHT]")
    where, weight = match["where"], _weight(reference, match["weight"])
    found = _find(where)
    file = source_of(found)
    require_sound(found, file)
    return Policy(found, weight, f"{file}:{line_of(found)}")


def shipped_policies() -> dict[str, Path]:
    """Return the files of the policies that come with this project, by name."""
    folder = next((folder for folder in SHIPPED if folder.is_dir()), None)
    files = sorted(folder.glob("*.py")) if folder else ()
    return {file.stem.replace("_", "-"): file for file in files}


def source_of(policy: type[Plugin]) -> str:
    """Return the file that a class is written in, as the user named it."""
    file = getattr(sys.modules.get(policy.__module__), "__file__", None)
    return str(file or policy.__module__)


def _weight(reference: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= MAX_WEIGHT:
        raise PolicyReferenceError(
            f"{reference!r}: the weight is a whole number from 1 to {MAX_WEIGHT}, not {text!r}"
        )
    return int(text)


def _find(where: str) -> type[Plugin]:
    if (file := _FILE.fullmatch(where)) is not None:
        path = Path(file["path"])
        return _class_in(_import_file(path), str(path), file["name"])
    module, colon, name = where.partition(":")
    if colon:
        return _class_in(_import_module(module, where), module, name)
    if (shipped := shipped_policies().get(where)) is not None:
        return _class_in(_import_file(shipped), str(shipped), None)
    installed = {entry.name: entry for entry in entry_points(group=GROUP)}
    if where in installed:
        return _class_of(installed[where])
    raise PolicyReferenceError(_no_such_name(where, [*shipped_policies(), *installed]))


def _no_such_name(name: str, known: Sequence[str]) -> str:
    beside = Path(f"{name}.py")
    close = get_close_matches(name.lower().replace("_", "-"), known, n=1)
    if beside.is_file():
        hint = f"did you mean {beside}?"
    elif close:
        hint = f"did you mean {close[0]!r}?"
    else:
        hint = f"it is neither FILE.py[:NAME] nor MODULE:NAME, and the names are {', '.join(known)}"
    return f"there is no policy {name!r}; {hint}"


def _import_file(path: Path) -> ModuleType:
    """Import a file under its path, so that no module is in its way, and its folder's modules too.

    Raises:
        PolicyReferenceError: there is no such file.
        ConfigurationError: it cannot be imported.
    """
    if not path.is_file():
        near = (
            sorted(file.name for file in path.parent.glob("*.py")) if path.parent.is_dir() else []
        )
        close = get_close_matches(path.name, near, n=1)
        hint = f"; did you mean {path.with_name(close[0])}?" if close else ""
        raise PolicyReferenceError(f"{path}: there is no such file{hint}")
    _add_to_path(path.parent)
    loader = _Loader(str(path), str(path))
    spec = spec_from_loader(loader.name, loader)
    if spec is None:
        raise PolicyReferenceError(f"{path}: it is no Python file")
    module = module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[loader.name] = module  # before it runs: dataclasses and tracebacks look there
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[loader.name]
        raise _import_failed(str(path), error) from error
    return module


class _Loader(SourceFileLoader):
    """Reads the source alone: no bytecode of an older one, and no files beside the user's."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _import_module(name: str, reference: str) -> ModuleType:
    _add_to_path(Path())
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise _import_failed(name, error) from error
        raise PolicyReferenceError(
            f"{reference}: there is no module {error.name!r}; install it, or name a file: FILE.py"
        ) from error
    except (Exception, SystemExit) as error:
        raise _import_failed(name, error) from error


def _import_failed(where: str, error: BaseException) -> ConfigurationError:
    """Say what stopped an import, and on which line of the file."""
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == where else None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == where:
            line = trace.tb_lineno
        trace = trace.tb_next
    place = where if line is None else f"{where}:{line}"
    problem = error.msg if isinstance(error, SyntaxError) else str(error)
    return ConfigurationError(
        [Problem(place, f"it cannot be imported: {type(error).__name__}: {problem}")]
    )


def _class_in(module: ModuleType, where: str, name: str | None) -> type[Plugin]:
    own = {
        key: value
        for key, value in vars(module).items()
        if _is_policy(value) and value.__module__ == module.__name__ and not key.startswith("_")
    }
    if name:
        return _named(module, where, name, list(own))
    if len(own) == 1:
        return next(iter(own.values()))
    if not own:
        raise ConfigurationError([Problem(where, f"there is no policy in it; {_EXPECTED}")])
    several = ", ".join(f"{name} (line {line_of(one)})" for name, one in own.items())
    raise PolicyReferenceError(
        f"{where} has several policies: {several}; say which, as in {where}:{next(iter(own))}"
    )


def _named(module: ModuleType, where: str, name: str, known: Sequence[str]) -> type[Plugin]:
    found = getattr(module, name, None)
    if found is None:
        close = get_close_matches(name, known, n=1) or known
        hint = f"did you mean {close[0]}?" if close else _EXPECTED
        raise PolicyReferenceError(f"{where} has no {name}; {hint}")
    if not _is_policy(found):
        raise ConfigurationError([Problem(where, f"{name} is {_kind(found)}; {_EXPECTED}")])
    return found


def _class_of(entry: EntryPoint) -> type[Plugin]:
    where = f"policy {entry.name!r} of package {entry.dist.name if entry.dist else '?'}"
    try:
        found = entry.load()
    except Exception as error:
        raise _import_failed(where, error) from error
    if not _is_policy(found):
        raise ConfigurationError([Problem(where, f"{entry.value} is {_kind(found)}; {_EXPECTED}")])
    return found


def _is_policy(value: object) -> TypeGuard[type[Plugin]]:
    is_class = inspect.isclass(value) and issubclass(value, Plugin)
    return is_class and value not in (Plugin, PerNodePlugin)


def _kind(value: object) -> str:
    if inspect.isclass(value):
        bases = ", ".join(base.__name__ for base in value.__bases__)
        return f"a class of {bases}"
    return f"a {type(value).__name__}"


def _add_to_path(folder: Path) -> None:
    """Let a policy import what is beside it; last, so that it hides nothing."""
    path = str(folder.resolve())
    if path not in sys.path:
        sys.path.append(path)
