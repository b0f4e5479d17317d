"""The rules for names, label keys and label values; each function gives what is wrong, in words.

Source: kubernetes v1.36 staging/src/k8s.io/apimachinery/pkg/api/validate/content and
    pkg/util/validation/validation.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Protocol

MAX_LABEL: Final = 63
MAX_SUBDOMAIN: Final = 253
MAX_PORT: Final = 65535

Problems = tuple[str, ...]

_DNS_1123 = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_DNS_1123}(\.{_DNS_1123})*"
_QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_LABEL_VALUE = f"({_QUALIFIED})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

_ALNUM_ENDS = "and must start and end with an alphanumeric character"
_LABEL_WORDS = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    + _ALNUM_ENDS
)
_SUBDOMAIN_WORDS = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    f"'.', {_ALNUM_ENDS}"
)
_QUALIFIED_WORDS = f"must consist of alphanumeric characters, '-', '_' or '.', {_ALNUM_ENDS}"
_LABEL_VALUE_WORDS = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    f"'.', {_ALNUM_ENDS}"
)
_CONFIG_KEY_WORDS = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"


class NameRule(Protocol):
    """Says what is wrong with a name."""

    def __call__(self, name: str) -> Problems:
        """Give the problems; none for a good name."""
        ...


@lru_cache(maxsize=4096)
def dns_label(name: str) -> Problems:
    """Check a DNS label, as in the names of namespaces and containers."""
    problems = _length(name, MAX_LABEL)
    if re.fullmatch(_DNS_1123, name) is None:
        if re.fullmatch(_SUBDOMAIN, name) is not None:
            return (*problems, "must not contain dots")
        return (*problems, _mismatch(_LABEL_WORDS, _DNS_1123, "my-name", "123-abc"))
    return problems


@lru_cache(maxsize=4096)
def dns_subdomain(name: str) -> Problems:
    """Check a DNS subdomain, as in the names of most objects."""
    problems = _length(name, MAX_SUBDOMAIN)
    if re.fullmatch(_SUBDOMAIN, name) is None:
        return (*problems, _mismatch(_SUBDOMAIN_WORDS, _SUBDOMAIN, "example.com"))
    return problems


@lru_cache(maxsize=4096)
def path_segment(name: str) -> Problems:
    """Check a name that need only be fit for a URL, as of RBAC objects."""
    if name in {".", ".."}:
        return (f"may not be '{name}'",)
    return tuple(f"may not contain '{part}'" for part in "/%" if part in name)


@lru_cache(maxsize=4096)
def qualified_name(name: str) -> Problems:
    """Check a label key: a name with an optional domain before a slash."""
    pattern = _mismatch(_QUALIFIED_WORDS, _QUALIFIED, "MyName", "my.name", "123-abc")
    prefix, slash, rest = name.rpartition("/")
    if "/" in prefix:
        example = "'/' (e.g. 'example.com/MyName')"
        return (f"a valid label key {pattern} with an optional DNS subdomain prefix and {example}",)
    problems: list[str] = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += [f"prefix part {problem}" for problem in dns_subdomain(prefix)]
    if not rest:
        problems.append("name part must be non-empty")
    problems += [f"name part {problem}" for problem in _length(rest, MAX_LABEL, "bytes")]
    if re.fullmatch(_QUALIFIED, rest) is None:
        problems.append(f"name part {pattern}")
    return tuple(problems)


@lru_cache(maxsize=4096)
def label_value(value: str) -> Problems:
    """Check a label's value."""
    problems = _length(value, MAX_LABEL, "bytes")
    if re.fullmatch(_LABEL_VALUE, value) is None:
        return (
            *problems,
            _mismatch(_LABEL_VALUE_WORDS, _LABEL_VALUE, "MyValue", "my_value", "12345"),
        )
    return problems


def config_key(key: str) -> Problems:
    """Check a key of a ConfigMap or Secret."""
    problems = list(_length(key, MAX_SUBDOMAIN))
    if re.fullmatch(_CONFIG_KEY, key) is None:
        problems.append(
            _mismatch(_CONFIG_KEY_WORDS, _CONFIG_KEY, "key.name", "KEY_NAME", "key-name")
        )
    if key in {".", ".."}:
        problems.append(f"must not be '{key}'")
    elif key.startswith(".."):
        problems.append("must not start with '..'")
    return tuple(problems)


def environment_name(name: str) -> Problems:
    """Check the name of an environment variable."""
    problems = [] if name else ["environment variable name must be non-empty"]
    if not all(" " <= character <= "~" and character != "=" for character in name):
        problems.append(
            "a valid environment variable name must consist only of printable ASCII characters "
            "other than '='"
        )
    return tuple(problems)


def port_number(port: int) -> Problems:
    """Check the number of a port."""
    return () if 1 <= port <= MAX_PORT else (f"must be between 1 and {MAX_PORT}, inclusive",)


def port_name(name: str) -> Problems:
    """Check the name of a port (an IANA service name)."""
    problems = list(_length(name, 15))
    if re.fullmatch("[-a-z0-9]+", name) is None:
        problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if re.search("[a-z]", name) is None:
        problems.append("must contain at least one letter (a-z)")
    if "--" in name:
        problems.append("must not contain consecutive hyphens")
    if name.startswith("-") or name.endswith("-"):
        problems.append("must not begin or end with a hyphen")
    return tuple(problems)


def generated_prefix(prefix: str) -> str:
    """Give a name that is good exactly when names generated from the prefix are."""
    return prefix[:-2] + "a" if len(prefix) > 1 and prefix.endswith("-") else prefix


def _length(text: str, limit: int, unit: str = "characters") -> Problems:
    """Count bytes, whatever upstream calls them."""
    return (f"must be no more than {limit} {unit}",) if len(text.encode()) > limit else ()


def _mismatch(words: str, pattern: str, *examples: str) -> str:
    named = " or ".join(f"'{example}', " for example in examples)
    return f"{words} (e.g. {named}regex used for validation is '{pattern}')"
