import pytest

from banditroute.errors import BrokenReplyError
from banditroute.providers.sse import EventParser, ServerSentEvent


def events(*reads: bytes, parser: EventParser | None = None) -> list[ServerSentEvent]:
    parser = parser or EventParser()
    return [event for data in reads for event in parser.feed(data)]


def test_an_event_has_a_name_and_data() -> None:
    assert events(b"event: ping\ndata: {}\n\n") == [ServerSentEvent("ping", b"{}")]


def test_an_event_without_a_name_is_a_message() -> None:
    assert events(b"data: x\n\n") == [ServerSentEvent("message", b"x")]


@pytest.mark.parametrize("newline", [b"\n", b"\r\n", b"\r"])
def test_every_newline_ends_a_line(newline: bytes) -> None:
    stream = newline.join([b"event: a", b"data: 1", b"data: 2", b"", b"data: 3", b"", b""])
    assert events(stream) == [ServerSentEvent("a", b"1\n2"), ServerSentEvent("message", b"3")]


def test_a_carriage_return_and_its_line_feed_may_come_in_two_reads() -> None:
    assert events(b"data: 1\r", b"\ndata: 2\r", b"\n\r", b"\n") == [ServerSentEvent("message", b"1\n2")]


def test_newlines_may_be_mixed() -> None:
    assert events(b"data: 1\r\n\ndata: 2\n\r\ndata: 3\r\r\n") == [
        ServerSentEvent("message", data) for data in (b"1", b"2", b"3")
    ]


def test_one_space_after_the_colon_is_not_data() -> None:
    assert [
        event.data
        for event in events(b"data:x\n\n", b"data:  x\n\n", b"data: a:b\n\n", b"data\n\n", b"data:  y\ndata:z\n\n")
    ] == [
        b"x",
        b" x",
        b"a:b",
        b"",
        b" y\nz",
    ]


def test_comments_ids_and_nameless_frames_are_no_events() -> None:
    assert events(b": hello\n\n", b"id: 7\nretry: 10\n\n", b"event: only\n\n", b"\n\n\n") == []


def test_a_comment_inside_an_event_is_skipped() -> None:
    assert events(b": keep-alive\ndata: x\n: y\n\n") == [ServerSentEvent("message", b"x")]


def test_a_byte_order_mark_at_the_start_is_skipped_wherever_it_is_cut() -> None:
    stream = b"\xef\xbb\xbfdata: x\n\n"
    for cut in range(len(stream)):
        assert events(stream[:cut], stream[cut:]) == [ServerSentEvent("message", b"x")]


def test_a_byte_order_mark_later_is_not() -> None:
    assert events(b"data: x\n\n", b"\xef\xbb\xbfdata: y\n\n") == [ServerSentEvent("message", b"x")]


def test_an_event_that_is_not_ended_is_none_but_can_be_looked_at() -> None:
    parser = EventParser()
    assert parser.feed(b'data: 1\n\n{"error": ') == [ServerSentEvent("message", b"1")]
    assert parser.feed(b'"x"}') == []
    assert parser.rest() == b'{"error": "x"}'


def test_bytes_are_not_decoded() -> None:
    assert events(b"data: \xff\xfe\n\n", b"event: \xff\ndata: x\n\n") == [
        ServerSentEvent("message", b"\xff\xfe"),
        ServerSentEvent("\ufffd", b"x"),
    ]


@pytest.mark.parametrize(
    "reads", [[b"data: " + b"x" * 100], [b"x" * 60, b"x" * 60], [b"data: " + b"x" * 100 + b"\n\n"]]
)
def test_a_frame_that_does_not_end_is_refused(reads: list[bytes]) -> None:
    parser = EventParser(max_frame_bytes=100)
    with pytest.raises(BrokenReplyError, match="longer than 100 bytes"):
        events(*reads, parser=parser)


def test_many_frames_may_be_longer_together() -> None:
    assert len(EventParser(max_frame_bytes=100).feed(b"data: x\n\n" * 1000)) == 1000
