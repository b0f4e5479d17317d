"""Errors of plugins and of the profiles that run them.

FrameworkError
├── ProfileError   a profile that cannot be built
├── PluginError    a plugin raised, or broke its contract, while deciding about a pod
└── BindingError   what a plugin raises to fail a binding cycle in its own words
"""

from __future__ import annotations


class FrameworkError(Exception):
    """Root of this layer's errors."""


class ProfileError(FrameworkError):
    """A profile cannot be built; the sentence names the plugin and the fix."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BindingError(FrameworkError):
    """The binding cycle cannot succeed; the text is what people read."""


class PluginError(FrameworkError):
    """A plugin failed while deciding about a pod; `where` is the line of its file."""

    def __init__(
        self, plugin: str, extension_point: str, pod: str, problem: str, where: str = ""
    ) -> None:
        at = f" ({where})" if where else ""
        super().__init__(
            f"plugin {plugin!r} failed in {extension_point} for pod {pod}: {problem}{at}"
        )
        self.plugin = plugin
        self.extension_point = extension_point
        self.pod = pod
        self.problem = f"{problem}{at}"
