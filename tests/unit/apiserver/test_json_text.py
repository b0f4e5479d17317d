import pytest

from pilotfish.apiserver.json_text import MalformedTextError, decode_json


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"", "unexpected end of JSON input"),
        (b'{"a":', "unexpected end of JSON input"),
        (b"[" * 100_000, "exceeded max depth"),
        (b"NaN", "invalid"),
    ],
)
def test_malformed_json_is_refused(text: bytes, why: str) -> None:
    with pytest.raises(MalformedTextError, match=why):
        decode_json(text)
