"""Asking a provider which models it serves: costs nothing, and shows whether it is there and takes the key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import orjson

from banditroute.errors import BrokenReplyError
from banditroute.providers.registry import ProviderOptions
from banditroute.records import Json


class ListCall(NamedTuple):
    """A GET that is ready to go.

    Attributes:
        path: what follows the provider's base URL.
        headers: every header that the protocol needs, the key's included.
    """

    path: str
    headers: Mapping[str, str]


class ListedModel(NamedTuple):
    """A model that a provider says it serves.

    Attributes:
        name: what it is to be asked for by.
        owner: whom the provider names as its owner; may be empty.
        context_window: most tokens of prompt and answer, where the provider says (vLLM does); None = it does not.
    """

    name: str
    owner: str = ""
    context_window: int | None = None


def list_call(kind: str, options: ProviderOptions, key: str | None) -> ListCall:
    """The call that asks a provider of that kind for its models."""
    own = dict(options.headers)
    if kind == "anthropic":
        from banditroute.providers.anthropic import VERSION  # a protocol is imported where it is spoken

        headers = {"anthropic-version": VERSION, **own}
        return ListCall("/v1/models?limit=1000", headers if key is None else headers | {"x-api-key": key})
    if kind == "gemini":
        return ListCall("/v1beta/models?pageSize=1000", own if key is None else own | {"x-goog-api-key": key})
    if key is None:
        return ListCall("/models", own)
    if options.key_header == "api-key":
        return ListCall("/models", own | {"api-key": key})
    return ListCall("/models", own | {"Authorization": f"Bearer {key}"})


def listed_models(kind: str, body: bytes) -> tuple[ListedModel, ...]:
    """The models in a reply.

    Raises:
        BrokenReplyError: the reply is no list of models.
    """
    try:
        reply: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise BrokenReplyError("the reply is not JSON") from None
    if kind != "gemini" and isinstance(reply, list):  # Together lists them bare
        reply = {"data": reply}
    field, name = ("models", "name") if kind == "gemini" else ("data", "id")
    rows: Any = cast("Json", reply).get(field) if isinstance(reply, dict) else None
    if not isinstance(rows, list):
        raise BrokenReplyError("the reply is no list of models")
    named = [cast("Json", row) for row in cast("list[Any]", rows) if isinstance(row, dict)]
    return tuple(_listed(row, name) for row in named if isinstance(row.get(name), str) and row[name])


def _listed(row: Json, name: str) -> ListedModel:
    owner, window = row.get("owned_by"), row.get("max_model_len")
    return ListedModel(
        row[name].removeprefix("models/"),
        owner if isinstance(owner, str) else "",
        window if isinstance(window, int) and not isinstance(window, bool) and window > 0 else None,
    )
