"""Asking for models, by protocol."""

import orjson
import pytest

from banditroute.errors import BrokenReplyError
from banditroute.providers.model_lists import ListedModel, list_call, listed_models
from banditroute.providers.registry import NO_OPTIONS, ProviderOptions


@pytest.mark.parametrize(
    ("kind", "options", "path", "headers"),
    [
        ("openai", NO_OPTIONS, "/models", {"Authorization": "Bearer k"}),
        ("edenai", NO_OPTIONS, "/models", {"Authorization": "Bearer k"}),
        (
            "openai",
            ProviderOptions(key_header="api-key", headers=(("x-team", "a"),)),
            "/models",
            {"api-key": "k", "x-team": "a"},
        ),
        ("anthropic", NO_OPTIONS, "/v1/models?limit=1000", {"x-api-key": "k", "anthropic-version": "2023-06-01"}),
        ("gemini", NO_OPTIONS, "/v1beta/models?pageSize=1000", {"x-goog-api-key": "k"}),
    ],
)
def test_the_call_is_as_its_protocol_has_it(
    kind: str, options: ProviderOptions, path: str, headers: dict[str, str]
) -> None:
    assert list_call(kind, options, "k") == (path, headers)
    assert "k" not in list_call(kind, options, None).headers.values()


@pytest.mark.parametrize(
    ("kind", "reply", "models"),
    [
        ("openai", {"data": [{"id": "a", "owned_by": "me", "max_model_len": 4096}]}, (ListedModel("a", "me", 4096),)),
        ("openai", {"data": [{"id": "a", "max_model_len": True}, {"id": 3}, "x", {}]}, (ListedModel("a"),)),
        ("openai", [{"id": "bare"}], (ListedModel("bare"),)),
        ("anthropic", {"data": [{"type": "model", "id": "claude"}], "has_more": False}, (ListedModel("claude"),)),
        ("gemini", {"models": [{"name": "models/gemini-x"}]}, (ListedModel("gemini-x"),)),
    ],
)
def test_names_are_read(kind: str, reply: object, models: tuple[ListedModel, ...]) -> None:
    assert listed_models(kind, orjson.dumps(reply)) == models


@pytest.mark.parametrize("body", [b"<html>", b"{}", b"3", b'{"data": {"id": "a"}}', b'{"choices": []}'])
def test_another_reply_is_no_list(body: bytes) -> None:
    with pytest.raises(BrokenReplyError):
        listed_models("openai", body)
