"""YAML of strangers: decoded within limits to what JSON can say, as kubectl decodes it.

The parser's events are put together here: PyYAML's own constructor takes five times as long, and
its composer recurses in C, where a deep document ends the process.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

import yaml

from pilotfish.apiserver.json_text import MalformedTextError

MAX_DEPTH: Final = 200
MAX_COPIES: Final = 1_000_000  # of nodes, by aliases: a few can stand for billions

_UNBROKEN: Final = 2**31 - 1  # columns; the C library takes no more
_TAG: Final = "tag:yaml.org,2002:"
_MERGE: Final = object()  # the key `<<`
_NUMBER_STARTS: Final = "+-.0123456789"
_ODD_STARTS: Final = frozenset(f"{_NUMBER_STARTS}yYnNtTfFoO~<")  # of what may be no text
_TRUE: Final = ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON")
_FALSE: Final = ("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF")
_WORDS: Final[Mapping[str, Any]] = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **{f"{sign}.{word}": math.inf for sign in ("", "+", "-") for word in ("inf", "Inf", "INF")},
    "<<": _MERGE,
}
_INTEGER: Final = re.compile(r"[-+]?(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_DECIMAL: Final = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_INTEGERS: Final = range(-(2**63), 2**64)
_DIGITS: Final = 70  # more are beyond them, in whatever base
_OF_TAGS: Final[Mapping[str, tuple[type, ...]]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (type(None),),
}


def decode_yaml(text: str | bytes) -> list[Any]:
    """Decode all documents of a YAML stream into what JSON can say; empty documents are left out.

    Raises:
        MalformedTextError: it is no YAML, or no JSON could say it.
    """
    try:
        parser = _Parser(text)
        try:
            return _Reader().read(iter(parser.get_event, None))
        finally:
            parser.dispose()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MalformedTextError(f"yaml: line {line}: {error.problem}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MalformedTextError(f"yaml: {' '.join(str(error).split())}") from None


def encode_yaml(obj: Any) -> bytes:
    """Write an object as kubectl does: keys sorted, lists not indented."""
    text: str = yaml.dump(obj, Dumper=_Dumper, sort_keys=True, width=_UNBROKEN)
    return text.encode()


class _Open:
    """A list or a mapping whose end has not come."""

    __slots__ = ("anchor", "is_mapping", "items")

    def __init__(self, anchor: str | None, *, is_mapping: bool) -> None:
        self.anchor = anchor
        self.is_mapping = is_mapping
        self.items: list[Any] = []  # of a mapping: keys and values in turn


class _Reader:
    """Puts documents together of a parser's events."""

    def __init__(self) -> None:
        self._open: list[_Open] = [_Open(None, is_mapping=False)]  # the documents
        self._anchors: dict[str, Any] = {}
        self._copies_left = MAX_COPIES

    def read(self, events: Iterable[yaml.Event]) -> list[Any]:
        """Return the documents."""
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._add(_scalar(event), event.anchor)
                case yaml.AliasEvent():
                    self._add(self._copy(self._anchored(event)), None)
                case yaml.CollectionStartEvent():
                    self._begin(event)
                case yaml.CollectionEndEvent():
                    ended = self._open.pop()
                    value = self._mapping(ended.items) if ended.is_mapping else ended.items
                    self._add(value, ended.anchor)
                case yaml.DocumentStartEvent():
                    self._anchors.clear()
        return [document for document in self._open[0].items if document is not None]

    def _begin(self, event: yaml.CollectionStartEvent) -> None:
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if len(self._open) > MAX_DEPTH:
            raise MalformedTextError("exceeded max depth")
        tag = event.tag
        if tag not in (None, "!", _TAG + ("map" if is_mapping else "seq")):
            raise _refusal(event, f"no JSON has the tag {tag}")
        self._open.append(_Open(event.anchor, is_mapping=is_mapping))

    def _add(self, value: Any, anchor: str | None) -> None:
        into = self._open[-1]
        if value is _MERGE and not (into.is_mapping and len(into.items) % 2 == 0):
            value = "<<"
        into.items.append(value)
        if anchor is not None:
            self._anchors[anchor] = value

    def _anchored(self, event: yaml.AliasEvent) -> Any:
        anchor = event.anchor
        if any(one.anchor == anchor for one in self._open):
            raise _refusal(event, f"anchor '{anchor}' value contains itself")
        if anchor not in self._anchors:
            raise _refusal(event, f"unknown anchor '{anchor}' referenced")
        return self._anchors[anchor]

    def _copy(self, value: Any) -> Any:
        self._copies_left -= 1
        if self._copies_left < 0:
            raise MalformedTextError("document contains excessive aliasing")
        match value:
            case dict():
                return {key: self._copy(item) for key, item in value.items()}
            case list():
                return [self._copy(item) for item in value]
        return value

    def _mapping(self, items: list[Any]) -> dict[str, Any]:
        """Put keys and values together; what `<<` merges yields to the mapping's own keys."""
        pairs = zip(items[::2], items[1::2], strict=True)
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key, value in pairs:
            if type(key) is str:
                own[key] = value
            elif key is _MERGE:
                merged = self._merged(value) | merged
            else:
                own[_key(key)] = value
        return merged | own if merged else own

    def _merged(self, value: Any) -> dict[str, Any]:
        sources = value if isinstance(value, list) else [value]
        merged: dict[str, Any] = {}
        for source in reversed(sources):  # the first one counts
            if not isinstance(source, dict):
                raise MalformedTextError("yaml: map merge requires map or sequence of maps")
            merged |= source
        return merged


def _scalar(event: yaml.ScalarEvent) -> Any:
    if event.tag is not None:
        value = _tagged(event, event.tag.removeprefix(_TAG))
    elif event.implicit[0]:
        value = _plain(event.value)
    else:
        return event.value  # in quotes
    if type(value) is float and not math.isfinite(value):
        raise _refusal(event, f"json: unsupported value: {event.value}")
    return value


def _plain(text: str) -> Any:
    """Read what is not in quotes.

    Source: kubernetes v1.36 go.yaml.in/yaml/v2/resolve.go.
    """
    if not text:
        return None
    if text[0] not in _ODD_STARTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    plain = text.replace("_", "") if text[0] != "." else text
    if len(plain) <= _DIGITS and _INTEGER.fullmatch(plain):
        number = _integer(plain)
        if number in _INTEGERS:
            return number
    is_number = _DECIMAL.fullmatch(plain) and math.isfinite(float(plain))
    return float(plain) if is_number else text


def _integer(text: str) -> int:
    digits = text.lstrip("+-")
    is_octal = digits[0] == "0" and digits.isdecimal()
    return int(text, 8 if is_octal else 0)


def _tagged(event: yaml.ScalarEvent, name: str) -> Any:
    """Read what has an explicit tag."""
    if name in ("!", "str", "timestamp"):
        return event.value
    value = _plain(event.value)
    if name not in _OF_TAGS:
        raise _refusal(event, f"no JSON has the tag {event.tag}")
    if type(value) not in _OF_TAGS[name]:
        raise _refusal(event, f"cannot decode `{event.value}` as a !!{name}")
    return float(value) if name == "float" else value


def _key(key: Any) -> str:
    match key:
        case bool():
            return "true" if key else "false"
        case int() | float():
            return str(key)
    raise MalformedTextError(f"unsupported map key of type: {type(key).__name__}, key: {key!r}")


def _refusal(event: yaml.Event, problem: str) -> MalformedTextError:
    line = event.start_mark.line + 1 if event.start_mark else 1
    return MalformedTextError(f"yaml: line {line}: {problem}")


# The C versions are ten times faster where there are some.
_Parser: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


_Dumper: type[yaml.SafeDumper] = type(
    "Dumper",
    (getattr(yaml, "CSafeDumper", yaml.SafeDumper),),
    {"ignore_aliases": lambda _self, _data: True},  # what is shared is written out
)
for _kind, _pattern, _starts in (  # what is no text to kubectl though it is to PyYAML
    ("bool", re.compile(r"[yYnN]\Z"), "yYnN"),
    ("int", re.compile(rf"(?:{_INTEGER.pattern})\Z"), _NUMBER_STARTS),
    ("float", re.compile(rf"(?:{_DECIMAL.pattern})\Z"), _NUMBER_STARTS),
):
    _Dumper.add_implicit_resolver(_TAG + _kind, _pattern, list(_starts))
