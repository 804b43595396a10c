"""What of a request is read."""

import pytest

from banditroute.prompts.excerpt import FRAME, HEAD, TAIL, excerpt_of
from banditroute.records import ChatRequest


def excerpt(*messages: dict[str, object]) -> str:
    return excerpt_of(ChatRequest(messages))


def test_the_last_user_turn_and_the_frame_count() -> None:
    turns = (
        {"role": "system", "content": "You translate."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "premier"},
        {"role": "user", "content": "second"},
        {"role": "assistant", "content": None, "tool_calls": [{}]},
        {"role": "tool", "content": "a result"},
    )
    assert excerpt(*turns) == "You translate.\n\nsecond"


def test_what_is_long_is_cut_to_its_ends() -> None:
    text = "a" * HEAD + "b" * 10_000_000 + "c" * TAIL
    assert excerpt({"role": "user", "content": text}) == "a" * HEAD + "\n" + "c" * TAIL
    framed = excerpt({"role": "developer", "content": "s" * 10_000_000}, {"role": "user", "content": "u"})
    assert framed == "s" * FRAME + "\n\nu"


def test_texts_among_parts_count_and_images_do_not() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts = [{"type": "text", "text": "what is"}, image, {"type": "text", "text": "this?"}]
    assert excerpt({"role": "user", "content": parts}) == "what is\nthis?"
    assert excerpt({"role": "user", "content": [image]}) == ""


def test_many_parts_are_bounded() -> None:
    parts = [{"type": "text", "text": "x" * 5_000}] * 10_000
    assert len(excerpt({"role": "user", "content": parts})) == HEAD + TAIL + 1


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (({"role": "system", "content": "only a frame"},), "only a frame"),
        (({"role": "assistant", "content": "only an answer"},), "only an answer"),
    ],
)
def test_where_no_user_speaks_what_is_there_is_read(messages: tuple[dict[str, object], ...], expected: str) -> None:
    assert excerpt(*messages) == expected
