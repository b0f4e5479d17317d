"""JSON and YAML of strangers: decoded within limits, or refused with upstream's words."""

from __future__ import annotations

import math
import re
from typing import Any, Final

import msgspec
import yaml

_UNBROKEN: Final = 2**31 - 1  # columns; the C library takes no more
MAX_DEPTH: Final = 200  # of a YAML document: the C library recurses, and ends the process
MAX_NODES: Final = 1_000_000  # of a YAML document with its aliases written out

_INTEGER: Final = "tag:yaml.org,2002:int"
_REPLACED: Final = ("tag:yaml.org,2002:timestamp", _INTEGER)
_PLAIN_INTEGER: Final = re.compile(r"[-+]?(?:0b[01_]+|0x[0-9a-fA-F_]+|0[0-7_]+|0|[1-9][0-9_]*)\Z")
_decode = msgspec.json.Decoder(strict=True).decode


class MalformedTextError(ValueError):
    """A text that is no JSON, or no YAML that could be JSON."""


def decode_json(text: bytes) -> Any:
    """Decode JSON.

    Raises:
        MalformedTextError: it is none, or nested too deeply.
    """
    if not text.strip():
        raise MalformedTextError("unexpected end of JSON input")
    try:
        return _decode(text)
    except RecursionError:
        raise MalformedTextError("exceeded max depth") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        words = str(error)
        if "truncated" in words:
            words = "unexpected end of JSON input"
        raise MalformedTextError(words) from None


def decode_yaml(text: str | bytes) -> list[Any]:
    """Decode all documents of a YAML stream into what JSON can say; empty documents are left out.

    Raises:
        MalformedTextError: it is no YAML, or no JSON could say it.
    """
    try:
        _check_depth(text)
        documents = list(yaml.load_all(text, _Loader))
        budget = _Budget()
        return [budget.as_json(document) for document in documents if document is not None]
    except RecursionError:
        raise MalformedTextError("exceeded max depth") from None
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise MalformedTextError(_yaml_problem(error)) from None


def encode_yaml(obj: Any) -> bytes:
    """Write an object as kubectl does: keys sorted, lists not indented."""
    text: str = yaml.dump(obj, Dumper=_Dumper, sort_keys=True, width=_UNBROKEN)
    return text.encode()


def _check_depth(text: str | bytes) -> None:
    depth = 0
    for event in yaml.parse(text, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedTextError("exceeded max depth")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Budget:
    """Counts what it has copied, since a few aliases can stand for billions of nodes."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def as_json(self, node: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise MalformedTextError("document contains excessive aliasing")
        match node:
            case dict():
                return {_key(key): self.as_json(value) for key, value in node.items()}
            case list():
                return [self.as_json(value) for value in node]
            case float() if not math.isfinite(node):
                raise MalformedTextError(f"json: unsupported value: {node}")
            case str() | bool() | int() | float() | None:
                return node
        raise MalformedTextError(f"json: unsupported type: {type(node).__name__}")


def _key(key: Any) -> str:
    match key:
        case str():
            return key
        case bool():
            return "true" if key else "false"
        case int() | float():
            return str(key)
    raise MalformedTextError(f"unsupported map key of type: {type(key).__name__}, key: {key!r}")


def _yaml_problem(error: Exception) -> str:
    if isinstance(error, MalformedTextError):
        return str(error)
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"yaml: line {error.problem_mark.line + 1}: {error.problem}"
    return f"yaml: {' '.join(str(error).split())}"


class _MergeBudget(yaml.constructor.SafeConstructor):
    """Counts what merge keys (`<<`) copy, since it is copied before anyone can count it."""

    _left = MAX_NODES

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Write out the merge keys of a mapping."""
        before = len(node.value)
        super().flatten_mapping(node)
        self._left -= max(0, len(node.value) - before)
        if self._left < 0:
            raise MalformedTextError("document contains excessive aliasing")


def _loader(loader: type[yaml.SafeLoader]) -> type[yaml.SafeLoader]:
    """Make a loader for which dates and sexagesimal numbers, which JSON lacks, are text."""
    made: type[yaml.SafeLoader] = type("Loader", (_MergeBudget, loader), {})
    made.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
        for letter, resolvers in loader.yaml_implicit_resolvers.items()
    }
    made.add_implicit_resolver(_INTEGER, _PLAIN_INTEGER, list("-+0123456789"))
    return made


# The C versions are ten times faster where there are some.
_Loader = _loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader))
_Dumper: type[yaml.SafeDumper] = type(
    "Dumper",
    (getattr(yaml, "CSafeDumper", yaml.SafeDumper),),
    {"ignore_aliases": lambda _self, _data: True},  # what is shared is written out
)
