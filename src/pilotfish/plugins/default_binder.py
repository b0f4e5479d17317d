"""DefaultBinder: pods are bound through the binding subresource."""

from __future__ import annotations

from pilotfish.framework.plugin import Plugin


class DefaultBinder(Plugin):
    """Stand for the binding in a profile.

    It has no method: a plugin is pure, and the binding is an effect that the core asks for and a
    shell carries out.
    """

    name = "DefaultBinder"
