"""Read a configuration file: strictly, and with the path of whatever is wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, Final, TypeVar

import msgspec
import yaml
from msgspec import inspect
from msgspec.structs import asdict, replace

from pilotfish.api.codec import without_nulls
from pilotfish.config.defaults import complete
from pilotfish.config.duration import parse_duration
from pilotfish.config.errors import ConfigError, ConfigurationError, Problem, did_you_mean
from pilotfish.config.plugin_args import ARGS, DynamicResourcesArgs
from pilotfish.config.types import (
    API_VERSION,
    KIND,
    KubeSchedulerConfiguration,
    PluginConfig,
    camel,
)
from pilotfish.config.upstream import REMOVED_PLUGINS
from pilotfish.config.validation import problems_of

T = TypeVar("T")

_AT: Final = re.compile(r"(.*?) - at (?:`key` in )?`\$\.?(.*)`", re.DOTALL)
_DURATIONS: Final = ("lease_duration", "renew_deadline", "retry_period")


def load_configuration(text: str, known_plugins: Collection[str]) -> KubeSchedulerConfiguration:
    """Read a file, fill in every default, and check it by upstream's rules.

    Args:
        text: YAML or JSON.
        known_plugins: the names that a profile may use.

    Raises:
        ConfigurationError: with everything that is wrong.
    """
    written = read_configuration(text)
    problems = [*_unreadable_durations(written), *_unknown_plugins(written, known_plugins)]
    if not problems:
        configuration = complete(written)
        problems = list(problems_of(configuration))
    if problems:
        raise ConfigurationError(problems)
    return configuration


def read_configuration(text: str) -> KubeSchedulerConfiguration:
    """Read a file as it is written, without defaults.

    Raises:
        ConfigurationError: it is no KubeSchedulerConfiguration, or has fields that none has.
    """
    content = without_nulls(_parsed(text))
    _check_kind(content)
    unknown = list(_unknown_fields(content, inspect.type_info(KubeSchedulerConfiguration), ""))
    if unknown:
        raise ConfigurationError(unknown)
    written = _converted(content, KubeSchedulerConfiguration, "")
    profiles = [
        replace(
            profile,
            plugin_config=tuple(
                _with_args(one, f"profiles[{i}].pluginConfig[{j}].args")
                for j, one in enumerate(profile.plugin_config)
            ),
        )
        for i, profile in enumerate(written.profiles)
    ]
    return replace(written, profiles=tuple(profiles))


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                line = key.start_mark.line + 1
                raise yaml.MarkedYAMLError(problem=f"line {line}: {key.value!r} stands there twice")
            seen.add(str(key.value))
        super().flatten_mapping(node)


def _parsed(text: str) -> Any:
    if text.lstrip().startswith("{"):
        text = text.replace("\t", " ")  # JSON, in whose strings no tab can be
    try:
        first, *others = [*yaml.load_all(text, _Loader)] or [None]
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that does not exist
        reason = " ".join(str(error).split())
        raise ConfigurationError([Problem("", f"this is no YAML: {reason}")]) from error
    if any(other is not None for other in others):
        reason = "these are several documents; one file is one configuration"
        raise ConfigurationError([Problem("", reason)])
    return first


def _check_kind(content: Any) -> None:
    if not isinstance(content, dict):
        raise ConfigurationError(
            [Problem("", f"this is no mapping with apiVersion and kind {KIND}")]
        )
    for field, wanted in (("apiVersion", API_VERSION), ("kind", KIND)):
        if content.get(field) != wanted:
            found = content.get(field, "missing")
            raise ConfigurationError([Problem(field, f"must be {wanted}; it is {found}")])


def _unknown_fields(content: Any, kind: inspect.Type, path: str) -> Iterator[Problem]:
    """Yield a problem for each field of a file that its Struct does not have."""
    match kind, content:
        case inspect.UnionType(types=types), _:
            for one in types:
                yield from _unknown_fields(content, one, path)
        case inspect.StructType(fields=fields), dict():
            kinds = {field.encode_name: field.type for field in fields}
            for name, value in content.items():
                here = f"{path}.{name}" if path else str(name)
                if name in kinds:
                    yield from _unknown_fields(value, kinds[name], here)
                else:
                    yield Problem(here, f"unknown field; {did_you_mean(str(name), kinds)}")
        case inspect.VarTupleType(item_type=item_type), list():
            for i, item in enumerate(content):
                yield from _unknown_fields(item, item_type, f"{path}[{i}]")


def _converted(content: Any, kind: type[T], path: str) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        match = _AT.fullmatch(str(error))
        reason, inner = match.groups() if match else (str(error), "")
        reason = reason[:1].lower() + reason[1:].replace("`", "").replace(" | null", "")
        where = ".".join(filter(None, (path, inner)))
        raise ConfigurationError([Problem(where, reason)]) from error


def _with_args(written: PluginConfig, path: str) -> PluginConfig:
    """Give the arguments the type that goes with the plugin's name."""
    content = {} if written.args is None else written.args
    if not isinstance(content, dict):
        raise ConfigurationError([Problem(path, "must be a mapping")])
    kind = ARGS.get(written.name)
    if kind is None:
        return replace(written, args=content)
    own = {k: v for k, v in content.items() if k not in ("apiVersion", "kind")}
    for field, wanted in (("apiVersion", API_VERSION), ("kind", f"{written.name}Args")):
        if content.get(field, wanted) != wanted:
            problem = Problem(f"{path}.{field}", f"must be {wanted}; it is {content[field]}")
            raise ConfigurationError([problem])
    unknown = list(_unknown_fields(own, inspect.type_info(kind), path))
    if unknown:
        raise ConfigurationError(unknown)
    return replace(written, args=_converted(own, kind, path))


def _unknown_plugins(
    written: KubeSchedulerConfiguration, known: Collection[str]
) -> Iterator[Problem]:
    for i, profile in enumerate(written.profiles):
        for point, plugin_set in asdict(profile.plugins).items():
            where = f"profiles[{i}].plugins.{camel(point)}"
            for j, entry in enumerate(plugin_set.enabled):
                yield from _unknown_plugin(f"{where}.enabled[{j}].name", entry.name, known)
            for j, entry in enumerate(plugin_set.disabled):
                if entry.name != "*":
                    yield from _unknown_plugin(f"{where}.disabled[{j}].name", entry.name, known)
        for j, one in enumerate(profile.plugin_config):
            yield from _unknown_plugin(f"profiles[{i}].pluginConfig[{j}].name", one.name, known)


def _unknown_plugin(path: str, name: str, known: Collection[str]) -> Iterator[Problem]:
    if name in REMOVED_PLUGINS:
        yield Problem(path, f"Kubernetes has no {name} any more; NodeVolumeLimits does its work")
    elif name not in known:
        reason = f"there is no plugin {name!r}, nor does --policy give one"
        yield Problem(path, f"{reason}; {did_you_mean(name, known)}")


def _unreadable_durations(written: KubeSchedulerConfiguration) -> Iterator[Problem]:
    found = {
        f"leaderElection.{camel(field)}": getattr(written.leader_election, field)
        for field in _DURATIONS
    }
    for i, profile in enumerate(written.profiles):
        for j, one in enumerate(profile.plugin_config):
            if isinstance(one.args, DynamicResourcesArgs):
                path = f"profiles[{i}].pluginConfig[{j}].args"
                found |= {f"{path}.{camel(k)}": v or "" for k, v in asdict(one.args).items()}
    for path, text in found.items():
        try:
            parse_duration(text or "0")
        except ConfigError as error:
            yield Problem(path, str(error))
