"""Calls of plugins: each method is given what it asks for, and what it answers is checked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import CodeType
from typing import Any, TypeVar

from pilotfish.api.pod import Pod
from pilotfish.framework.errors import BindingError, PluginError, ProfileError
from pilotfish.framework.plugin import ASYNC_ARGUMENTS, ASYNC_POINTS, EXTENSION_POINTS, Plugin
from pilotfish.framework.stopwatch import Stopwatch

T = TypeVar("T")


class PluginCall:
    """One plugin's method, given only the arguments that it declares."""

    __slots__ = ("is_async", "method", "name", "names", "plugin", "point", "stopwatch", "weight")

    def __init__(self, plugin: Plugin, weight: int, extension_point: str) -> None:
        self.stopwatch: Stopwatch | None = None
        self.plugin = plugin
        self.name = plugin.name
        self.weight = weight
        self.point = extension_point
        self.method: Callable[..., Any] = getattr(plugin, extension_point)
        self.names = tuple(inspect.signature(self.method).parameters)
        self.is_async = inspect.iscoroutinefunction(self.method)
        if self.is_async and extension_point not in ASYNC_POINTS:
            raise ProfileError(
                f"plugin {self.name!r}: {extension_point} must not be async; "
                f"only {' and '.join(sorted(ASYNC_POINTS))} may be"
            )
        allowed = ASYNC_ARGUMENTS if self.is_async else EXTENSION_POINTS[extension_point]
        unknown = [name for name in self.names if name not in allowed]
        if unknown:
            colour = "async " if self.is_async else ""
            raise ProfileError(
                f"plugin {self.name!r}: {colour}{extension_point} asks for {', '.join(unknown)}; "
                f"it may ask for {', '.join(sorted(allowed))}"
            )

    def __call__(self, arguments: Mapping[str, Any], read: Callable[[Any], T]) -> T:
        """Call the method and read the result: a generator fails only while it is read.

        Raises:
            PluginError: the method raised, or `read` found that it broke its contract.
        """
        values = [arguments[name] for name in self.names]
        return self.guarded(self.method, values, arguments["pod"], read)

    def guarded(
        self,
        method: Callable[..., Any],
        arguments: Sequence[Any],
        pod: Pod,
        read: Callable[[Any], T],
    ) -> T:
        """Call anything of this plugin's, as `__call__` does its method.

        Raises:
            PluginError: see there.
        """
        started = self.stopwatch.clock() if self.stopwatch else 0.0
        try:
            return read(method(*arguments))
        except Exception as error:
            raise self.failed(error, pod) from error
        finally:
            if self.stopwatch:
                self.stopwatch.took(self.name, self.stopwatch.clock() - started)

    def failed(self, error: BaseException, pod: Pod) -> PluginError:
        """Say what it means that the method raised; a BindingError says all there is to say."""
        if isinstance(error, BindingError):
            return PluginError(self.name, self.point, pod.key, str(error))
        problem = f"{type(error).__name__}: {error}"
        return PluginError(self.name, self.point, pod.key, problem, self._line_of(error))

    def _line_of(self, error: BaseException) -> str:
        """Name the line of the author's file that failed, else that on which the method begins."""
        code = author_code(self.plugin, self.point)
        if code is None:
            return ""
        line, trace = code.co_firstlineno, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == code.co_filename:
                line = trace.tb_lineno
            trace = trace.tb_next
        return f"{code.co_filename}:{line}"


def author_code(plugin: Plugin, extension_point: str) -> CodeType | None:
    """Return the code that an author wrote for an extension point: of `score_node`, for `score`."""
    written = getattr(plugin, f"{extension_point}_node", None)
    method = written or getattr(plugin, extension_point)
    code = getattr(inspect.unwrap(method), "__code__", None)
    return code if isinstance(code, CodeType) else None
