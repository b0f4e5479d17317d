"""Write a configuration as a file, and name what in it has no effect here."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import msgspec
import yaml
from msgspec.structs import replace

from pilotfish.config.defaults import complete, complete_args
from pilotfish.config.errors import Problem
from pilotfish.config.plugin_args import ARGS
from pilotfish.config.types import API_VERSION, KubeSchedulerConfiguration, camel

_WITHOUT_EFFECT = {
    "parallelism": "pilotfish looks at all nodes at once, in one thread",
    "enable_profiling": "pilotfish serves no profiles",
    "enable_contention_profiling": "pilotfish serves no profiles",
    "delay_cache_until_active": "pilotfish fills its cache at the start",
}
_ARGS_WITHOUT_EFFECT = {
    "DefaultPreemption": "pilotfish considers every candidate node",
    "DynamicResources": "pilotfish allocates no devices",
}
_JSON = "pilotfish speaks JSON"


def to_yaml(configuration: KubeSchedulerConfiguration) -> str:
    """Write a configuration as kube-scheduler would; it can be read again."""
    content = msgspec.to_builtins(configuration)
    for profile in content["profiles"]:
        profile["pluginConfig"] = sorted(profile["pluginConfig"], key=itemgetter("name"))
        for one in profile["pluginConfig"]:
            if one["name"] in ARGS:
                one["args"] |= {"apiVersion": API_VERSION, "kind": f"{one['name']}Args"}
    return yaml.safe_dump(_without_blanks(content), default_flow_style=False, allow_unicode=True)


def without_effect(configuration: KubeSchedulerConfiguration) -> Iterator[Problem]:
    """Yield what is set otherwise than by default, and does nothing here."""
    written = KubeSchedulerConfiguration(enable_profiling=configuration.enable_profiling)
    defaults = replace(complete(written), enable_profiling=True)
    for field, reason in _WITHOUT_EFFECT.items():
        if getattr(configuration, field) not in {None, getattr(defaults, field)}:
            yield Problem(camel(field), reason)
    connection, usual = configuration.client_connection, defaults.client_connection
    if connection.content_type != usual.content_type:
        yield Problem("clientConnection.contentType", _JSON)
    if connection.accept_content_types != usual.accept_content_types:
        yield Problem("clientConnection.acceptContentTypes", _JSON)
    for i, profile in enumerate(configuration.profiles):
        for j, one in enumerate(profile.plugin_config):
            reason = _ARGS_WITHOUT_EFFECT.get(one.name, "")
            if reason and one.args != complete_args(ARGS[one.name]()):
                yield Problem(f"profiles[{i}].pluginConfig[{j}].args", reason)


def _without_blanks(content: Any) -> Any:
    """Leave out what upstream leaves out: nulls and empty lists."""
    match content:
        case dict():
            members = {k: _without_blanks(v) for k, v in content.items()}
            return {k: v for k, v in members.items() if v is not None and v != []}
        case list() | tuple():
            return [_without_blanks(item) for item in content]
        case _:
            return content
