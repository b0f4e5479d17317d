"""What is wrong with a policy's class, found without running it, with the line of each."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any, Final

from pilotfish.config.errors import ConfigurationError, Problem
from pilotfish.framework.errors import ProfileError
from pilotfish.framework.events import ClusterEvent
from pilotfish.framework.per_node import PerNodePlugin
from pilotfish.framework.plugin import EXTENSION_POINTS, Plugin, check_plugin, implements
from pilotfish.framework.plugin_call import PluginCall, author_code
from pilotfish.plugins.default import DEFAULT_WEIGHTS
from pilotfish.runtime.feed import kinds_for

PER_NODE: Final = ("filter_node", "score_node")
_BUILT_IN: Final = frozenset(plugin.name for plugin in DEFAULT_WEIGHTS)


def require_sound(policy: type[Plugin], file: str) -> None:
    """Let a policy pass that a profile can run.

    Raises:
        ConfigurationError: with all that is wrong, and where.
    """

    def refuse(faults: Iterable[tuple[int, str]]) -> None:
        problems = [
            Problem(f"{file}:{line}", f"class {policy.__name__}: {why}") for line, why in faults
        ]
        if problems:
            raise ConfigurationError(problems)

    first = line_of(policy)
    refuse((first, why) for why in _of_class(policy))
    try:
        plugin = policy()
    except Exception as error:
        why = f"class {policy.__name__}: it cannot be made: {type(error).__name__}: {error}"
        raise ConfigurationError([Problem(f"{file}:{first}", why)]) from error
    refuse([*_of_methods(plugin), *((first, why) for why in _of_profile(plugin))])


def line_of(policy: type[Any]) -> int:
    """Return the line on which a class begins."""
    try:
        return inspect.getsourcelines(policy)[1]
    except (OSError, TypeError):
        return 1


def points_of(policy: type[Plugin]) -> list[str]:
    """Name the extension points that a policy has a method for, as its author calls them."""
    return [
        f"{point}_node" if hasattr(policy, f"{point}_node") else point
        for point in EXTENSION_POINTS
        if implements(policy, point)
    ]


def _of_class(policy: type[Plugin]) -> Iterator[str]:
    name = getattr(policy, "name", None)
    if not isinstance(name, str) or name.split() != [name]:
        found = "has no name" if name is None else f"has the name {name!r}"
        yield f'it {found}; expected a text without spaces, as in: name = "{policy.__name__}"'
    elif name in _BUILT_IN:
        yield f"its name {name!r} is that of a plugin of pilotfish's own; expected another one"
    needed = [
        parameter.name
        for parameter in inspect.signature(policy).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        yield f"its __init__ needs {', '.join(needed)}; expected a default for each"
    events = policy.requeue_on
    if not isinstance(events, set | frozenset) or not all(
        isinstance(event, ClusterEvent) for event in events
    ):
        yield f"its requeue_on is {events!r}; expected a set of ClusterEvent"
    reads: object = policy.reads
    if isinstance(reads, set | frozenset):
        try:
            kinds_for(reads)
        except ProfileError as error:
            yield f"its reads is {reads!r}: {_in_full(error)}"
    else:
        yield f"its reads is {reads!r}; expected a set of kinds, as in {{'namespaces'}}"
    if not points_of(policy):
        yield f"it does nothing; {_did_you_mean(policy)}"


def _did_you_mean(policy: type[Plugin]) -> str:
    """Name the method that was meant, or those that there are."""
    known = [*(PER_NODE if issubclass(policy, PerNodePlugin) else ()), *EXTENSION_POINTS]
    for name in vars(policy):
        close = get_close_matches(name, known, n=1)
        if close:
            return f"did you mean {close[0]}, where it says {name}?"
    return f"expected a method {', '.join(known[:-1])} or {known[-1]}"


def _of_profile(plugin: Plugin) -> Iterator[str]:
    try:
        check_plugin(plugin)
    except ProfileError as error:
        yield _in_full(error)


def _of_methods(plugin: Plugin) -> Iterator[tuple[int, str]]:
    for point in EXTENSION_POINTS:
        if not implements(plugin, point):
            continue
        code = author_code(plugin, point)
        line = code.co_firstlineno if code else line_of(type(plugin))
        for why in _of_method(plugin, point):
            yield line, why


def _of_method(plugin: Plugin, point: str) -> Iterator[str]:
    written = f"{point}_node" if hasattr(plugin, f"{point}_node") else point
    method = getattr(plugin, written)
    names = [*inspect.signature(method).parameters]
    raw = inspect.getattr_static(plugin, written)
    if inspect.isfunction(raw) and _lacks_self(raw, point):
        expected = ", ".join(["self", *inspect.signature(raw).parameters])
        yield f"{written} has no self; expected def {written}({expected})"
    elif written in PER_NODE and inspect.iscoroutinefunction(method):
        yield f"{written} is async; expected a plain method: it decides and never waits"
    elif written in PER_NODE:
        if len(names) != len(("pod", "node")):
            yield f"{written} takes ({', '.join(names)}); expected (pod, node)"
    else:
        try:
            PluginCall(plugin, 1, point)
        except ProfileError as error:
            yield _in_full(error)


def _in_full(error: ProfileError) -> str:
    return f"{error}; {error.hint}" if error.hint else str(error)


def _lacks_self(function: Callable[..., object], point: str) -> bool:
    first = next(iter(inspect.signature(function).parameters), "node")
    return first in EXTENSION_POINTS[point] | {"node"}
