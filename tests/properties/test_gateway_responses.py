"""No body of the Responses API brings the gateway down."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from banditroute.errors import InvalidRequestError
from banditroute.gateway.refusals import RefusedError
from banditroute.gateway.response_request import responses_request
from banditroute.prompts.excerpt import excerpt_of
from banditroute.routing.requests import demand_of, input_tokens

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | TEXTS | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXTS, inner, max_size=2),
    max_leaves=4,
)
PARTS = st.dictionaries(
    st.sampled_from(["type", "text", "image_url"]), VALUES | st.sampled_from(["input_text", "text"])
)
ITEMS = st.dictionaries(
    st.sampled_from(["type", "role", "content", "call_id"]),
    VALUES | st.sampled_from(["message", "user", "assistant"]) | st.lists(PARTS, max_size=3),
)
NAMES = ["input", "instructions", "tools", "text", "max_output_tokens", "metadata", "background", "conversation"]


@given(st.dictionaries(st.sampled_from(NAMES), VALUES | st.lists(ITEMS, max_size=3)), st.booleans())
@settings(max_examples=100, deadline=None)
def test_a_body_is_a_request_or_is_refused(body: dict[str, Any], pinned: bool) -> None:
    try:
        request = responses_request(body, pinned=pinned)
        demand_of(request, input_tokens(request))
        assert isinstance(excerpt_of(request), str)
        refusal = None
    except (InvalidRequestError, RefusedError) as error:
        refusal = error
    assert refusal is None or str(refusal)
