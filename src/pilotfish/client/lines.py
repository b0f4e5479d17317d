"""Splits a byte stream into lines, whatever the chunks it arrives in."""


class LineSplitter:
    """Collects chunks and yields complete lines of any length.

    What follows the last newline is kept for the next chunk; when the stream ends there, it is a
    line cut in the middle and is never yielded.
    """

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` completes, without newlines and without blank ones."""
        head, newline, tail = chunk.rpartition(b"\n")
        if not newline:
            self._rest.append(tail)
            return []
        if self._rest:
            head = b"".join((*self._rest, head))
        self._rest = [tail] if tail else []
        return [line for line in head.split(b"\n") if line and not line.isspace()]
