"""JSON of strangers: decoded, or refused with upstream's words."""

from __future__ import annotations

from typing import Any, Final

import msgspec

_decode: Final = msgspec.json.Decoder(strict=True).decode


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
