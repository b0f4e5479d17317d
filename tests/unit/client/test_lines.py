from pilotfish.client.lines import LineSplitter


def test_a_line_may_come_in_pieces_and_several_in_one_chunk() -> None:
    splitter = LineSplitter()

    assert splitter.feed(b'{"a"') == []
    assert splitter.feed(b":1}\n{}\n[") == [b'{"a":1}', b"{}"]
    assert splitter.feed(b"]\n") == [b"[]"]


def test_blank_lines_say_nothing() -> None:
    assert LineSplitter().feed(b"\n\r\n  \na\n\n") == [b"a"]


def test_a_line_has_no_size_limit() -> None:
    splitter = LineSplitter()
    for _ in range(64):
        assert splitter.feed(b"x" * 65_536) == []

    assert [len(line) for line in splitter.feed(b"\n")] == [64 * 65_536]
