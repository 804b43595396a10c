import orjson
import pytest

from banditroute.providers.registry import KINDS, ProviderOptions, provider_of
from banditroute.records import ChatRequest

HELLO = ChatRequest(({"role": "user", "content": "Hello"},), {"max_tokens": 8})


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("openai", "https://api.openai.com/v1/chat/completions"),
        ("anthropic", "https://api.anthropic.com/v1/messages"),
        ("gemini", "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"),
        ("edenai", "https://api.edenai.run/v3/chat/completions"),
    ],
)
def test_each_kind_calls_where_its_provider_listens(kind: str, url: str) -> None:
    base_url = KINDS[kind].default_base_url
    assert base_url + provider_of(kind).chat(HELLO, model="m", key="k", stream=False).path == url


def test_there_are_four() -> None:
    assert set(KINDS) == {"openai", "anthropic", "gemini", "edenai"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_sends_further_headers(kind: str) -> None:
    provider = provider_of(kind, ProviderOptions(headers=(("x-team", "search"),)))
    headers = provider.chat(HELLO, model="m", key="secret", stream=False).headers
    assert headers["x-team"] == "search"
    assert any("secret" in value for value in headers.values())


def test_options_reach_openais_protocol() -> None:
    options = ProviderOptions("api-key", "max_completion_tokens", ask_usage=False)
    call = provider_of("openai", options).chat(HELLO, model="m", key="k", stream=True)
    assert call.headers["api-key"] == "k"
    body = orjson.loads(call.body)
    assert body["max_completion_tokens"] == 8
    assert "stream_options" not in body


def test_eden_ai_is_asked_for_metadata_whatever_the_headers() -> None:
    provider = provider_of("edenai", ProviderOptions(headers=(("x-team", "search"),)))
    assert provider.chat(HELLO, model="m", key="k", stream=False).headers["x-edenai-metadata"] == "enabled"
