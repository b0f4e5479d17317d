"""Which plugins there are to build profiles from. There is no global one: it is handed around."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from pilotfish.framework.errors import ProfileError
from pilotfish.framework.plugin import Plugin

Factory: TypeAlias = Callable[..., Plugin]


class Registry:
    """Factories of plugins, by plugin name. A plugin class is its own factory."""

    def __init__(self, *factories: type[Plugin]) -> None:
        self._factories: dict[str, Factory] = {}
        for factory in factories:
            self.add(factory.name, factory)

    def __contains__(self, name: str) -> bool:
        return name in self._factories

    @property
    def names(self) -> frozenset[str]:
        """The names of all plugins."""
        return frozenset(self._factories)

    def add(self, name: str, factory: Factory) -> None:
        """Add a plugin.

        Raises:
            ProfileError: there is one of this name already.
        """
        if name in self._factories:
            raise ProfileError(f"plugin {name!r} is registered twice; rename one of the two")
        self._factories[name] = factory

    def make(self, name: str, arguments: Mapping[str, Any] | None = None) -> Plugin:
        """Make a plugin of its arguments.

        Raises:
            ProfileError: no such plugin, or it does not take these arguments.
        """
        factory = self._factories.get(name)
        if factory is None:
            close = difflib.get_close_matches(name, self._factories, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"there are {self._names()}"
            raise ProfileError(f"plugin {name!r} is not registered; {hint}")
        try:
            return factory(**(arguments or {}))
        except (TypeError, ValueError) as error:
            raise ProfileError(f"plugin {name!r} cannot be made: {error}") from error

    def _names(self) -> str:
        return ", ".join(sorted(self._factories)) or "none"
