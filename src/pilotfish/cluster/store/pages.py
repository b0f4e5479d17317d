"""Lists in pages, all of them at the resourceVersion of the first.

A page after the first reads the store as it was then: what changed since is undone from the watch
log. Once the log no longer reaches back, the list is expired, and the client is handed a token that
goes on at the newest version.

Source: kubernetes v1.36 staging/src/k8s.io/apiserver/pkg/storage/continue.go and etcd3/errors.go.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

import msgspec

from pilotfish.cluster.errors import StatusError, bad_request, expired
from pilotfish.cluster.objects import Stored
from pilotfish.cluster.store.past import Past

NEWEST: Final = -1  # the resourceVersion in a token that goes on at whatever is there

LIST_TOO_OLD: Final = "The resourceVersion for the provided list is too old."
PAGE_TOO_OLD: Final = (
    "The provided continue parameter is too old to display a consistent list result. You can start"
    " a new list without the continue parameter, or use the continue token in this response to"
    " retrieve the remainder of the results. Continuing with the provided token results in an"
    " inconsistent list - objects that were created, modified, or deleted between the time the"
    " first chunk was returned and now may show up in the list."
)

_ENCODING: Final = "meta.k8s.io/v1"
_AFTER: Final = "\0"  # ends a key: go on behind it
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9_-]")


class Page(msgspec.Struct, frozen=True):
    """A part of a list.

    Attributes:
        continue_token: asks for the next page; empty at the last.
        remaining: how many objects follow; None at the last page and where a selection was made.
    """

    items: Sequence[Stored]
    resource_version: int
    continue_token: str
    remaining: int | None


class Token(msgspec.Struct, frozen=True):
    """What a continue token says: the version to read at, and the key to begin behind."""

    version: str = msgspec.field(name="v", default="")
    resource_version: int = msgspec.field(name="rv", default=0)
    start: str = ""


def take_page(
    past: Past,
    token: Token,
    namespace: str,
    limit: int,
    matches: Callable[[Stored], bool] | None,
) -> Page:
    """Return up to `limit` objects that match from where the token says; 0 is no limit."""
    rest = past.after(*_split(token.start, namespace))
    chosen = rest if matches is None else filter(matches, rest)
    items = tuple(islice(chosen, limit or None))
    at = token.resource_version
    if not limit or next(rest, None) is None:
        return Page(items, at, "", None)
    last = items[-1]
    start = f"/{last.name}" if namespace else f"/{last.key}"
    remaining = past.count_after(last.namespace, last.name) if matches is None else None
    return Page(items, at, encode_token(Token(_ENCODING, at, start + _AFTER)), remaining)


def first_token(resource_version: int) -> Token:
    """Return the token of a list's beginning."""
    return Token(_ENCODING, resource_version, "")


def encode_token(token: Token) -> str:
    """Return the text that clients hand back."""
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def decode_token(text: str) -> Token:
    """Read what a client hands back.

    Raises:
        StatusError: BadRequest: this is no token.
    """
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        token = msgspec.json.decode(data, type=Token)
    except binascii.Error:
        bad = _NOT_BASE64.search(text)
        at = bad.start() if bad else len(text) - 1
        raise _bad_token(f": illegal base64 data at input byte {at}") from None
    except ValueError as error:
        raise _bad_token(f": {error}") from None
    if token.version != _ENCODING:
        raise _bad_token(f": server does not recognize this encoded version {token.version}")
    if token.resource_version == 0:
        raise _bad_token(f": incorrect encoded start resourceVersion (version {_ENCODING})")
    if not token.start:
        raise _bad_token(f": encoded start key empty (version {_ENCODING})")
    if not {"", ".", ".."}.isdisjoint(token.start.removeprefix("/").split("/")):
        raise _bad_token(f": {token.start}")
    return token


def page_too_old(token: Token) -> StatusError:
    """Make the answer to who asks for a page of a list that is expired."""
    onward = Token(_ENCODING, NEWEST, token.start.removeprefix("/"))
    return expired(PAGE_TOO_OLD, continue_token=encode_token(onward))


def _split(start: str, namespace: str) -> tuple[str, str]:
    """Return the namespace and name behind which a list goes on."""
    key = start.removeprefix("/").removesuffix(_AFTER)
    if namespace:
        return namespace, key
    above, _, name = key.rpartition("/")
    return above, name


def _bad_token(why: str) -> StatusError:
    return bad_request(f"invalid continue token: continue key is not valid{why}")
