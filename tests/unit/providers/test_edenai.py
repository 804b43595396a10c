from typing import Any

import orjson
import pytest

from banditroute.errors import UnfitError
from banditroute.providers.edenai import EdenAI
from banditroute.providers.protocol import WireReply
from banditroute.records import ChatRequest, EmbeddingRequest

EDENAI = EdenAI()
METADATA = {"edenai_metadata": {"strategy": "direct"}}


def reply(headers: dict[str, str] | None = None, **fields: Any) -> WireReply:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}
    return WireReply(200, headers or {}, orjson.dumps({"id": "1", "choices": [choice], **fields}))


def test_the_stated_cost_is_the_cost() -> None:
    assert EDENAI.completion(reply(cost=0.0125, usage={"cost": 9}), 0.0).cost_usd == 0.0125


@pytest.mark.parametrize("cost", [None, "0.1", -1, True, []])
def test_a_cost_that_is_none_is_not_known(cost: Any) -> None:
    assert EDENAI.completion(reply(cost=cost), 0.0).cost_usd is None


@pytest.mark.parametrize(
    ("answered", "from_cache"),
    [
        (reply(cost=0.01, **METADATA), False),
        (reply(cost=0.0, **METADATA), False),  # a free model
        (reply(cost=0.0), True),
        (reply(cost=0.01), False),  # billed: a proxy has taken the metadata out
        (reply(), False),
        (reply(cost=0.01, cached=True, **METADATA), True),
        (reply(cost=0.01, from_cache=True, **METADATA), True),
        (reply({"x-edenai-cache": "HIT"}, cost=0.01, **METADATA), True),
        (reply({"x-cache": "hit"}, cost=0.01, **METADATA), True),
    ],
)
def test_the_response_cache_is_seen(answered: WireReply, from_cache: bool) -> None:
    assert EDENAI.completion(answered, 0.0).from_cache is from_cache


def test_metadata_is_asked_for_and_fields_pass_through() -> None:
    request = ChatRequest(({"role": "user", "content": "Hi"},), {"fallbacks": ["openai/gpt-4o-mini"]})
    call = EDENAI.chat(request, model="anthropic/claude-haiku", key="k", stream=True)
    assert call.headers["x-edenai-metadata"] == "enabled"
    assert call.headers["Authorization"] == "Bearer k"
    body = orjson.loads(call.body)
    assert body["fallbacks"] == ["openai/gpt-4o-mini"]
    assert body["model"] == "anthropic/claude-haiku"
    assert body["stream_options"] == {"include_usage": True}  # the cost comes with the usage


def test_embeddings_have_a_cost() -> None:
    call = EDENAI.embed(EmbeddingRequest("x"), model="openai/text-embedding-3-small", key="k")
    assert call.path == "/embeddings"
    found = EDENAI.embeddings(WireReply(200, {}, b'{"data":[],"cost":0.5}'), 0.0)
    assert found.cost_usd == 0.5


def test_models_that_the_eu_does_not_host_are_unfit() -> None:
    error = EDENAI.failure(WireReply(451, {}, b'{"detail":"not hosted in the EU"}'), 0.0)
    assert isinstance(error, UnfitError)
