"""Makers of configuration files."""

from __future__ import annotations

from typing import Any

import msgspec

from pilotfish.config.types import API_VERSION, KIND


def configuration(**fields: Any) -> str:
    """Write a KubeSchedulerConfiguration with these fields; JSON, which is YAML."""
    return msgspec.json.encode({"apiVersion": API_VERSION, "kind": KIND, **fields}).decode()


def of_profile(**fields: Any) -> str:
    """Write one with one profile, of these fields."""
    return configuration(profiles=[fields])


def of_args(plugin: str, **args: Any) -> str:
    """Write one with one profile, with these arguments of one plugin."""
    return of_profile(pluginConfig=[{"name": plugin, "args": args}])


def of_plugins(**sets: dict[str, list[dict[str, Any]]]) -> str:
    """Write one with one profile, with these plugin sets."""
    return of_profile(plugins=sets)


def enabled(*names: str, **weights: int) -> dict[str, list[dict[str, Any]]]:
    """Make a plugin set that enables plugins, some with a weight."""
    weighted = [{"name": name, "weight": weight} for name, weight in weights.items()]
    return {"enabled": [*({"name": name} for name in names), *weighted]}


def disabled(*names: str) -> dict[str, list[dict[str, Any]]]:
    """Make a plugin set that disables plugins."""
    return {"disabled": [{"name": name} for name in names]}
