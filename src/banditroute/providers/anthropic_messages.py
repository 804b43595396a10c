"""A conversation in OpenAI's shape, as Anthropic's `system` blocks and turns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from banditroute.providers.canonical_messages import arguments, data_url, image_url, parts, refuse_names
from banditroute.providers.checked import object_of, object_or_none, objects, text_of, unfit
from banditroute.providers.reading import word
from banditroute.records import Json

_SYSTEM = ("system", "developer")


class Conversation(NamedTuple):
    """What Anthropic is sent of the messages: blocks of the system prompt, and turns whose roles alternate."""

    system: list[Json]
    turns: list[dict[str, Any]]


def conversation(messages: Iterable[Json]) -> Conversation:
    """The messages, with those of the system first and results of tools in the user's turns.

    Raises:
        UnfitError: a message says what Anthropic has no way to say; its place is named.
    """
    said = Conversation([], [])
    calls: dict[str, str] = {}  # the older function messages name a function, not a call
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        role = message.get("role")
        if role in _SYSTEM:
            refuse_names(message, place)
            said.system.extend(_cached(_blocks(message.get("content"), place), message))
        elif role == "user":
            refuse_names(message, place)
            _append(said.turns, "user", _cached(_blocks(message.get("content"), place), message))
        elif role == "assistant":
            refuse_names(message, place)
            _append(said.turns, "assistant", _cached(_assistant(message, place, calls), message))
        elif role in ("tool", "function"):
            _append(said.turns, "user", [_cache_one(_tool_result(message, place, calls), message)])
        else:
            raise unfit(f"{place}.role", f"{role!r} is not known")
    return said


def _append(turns: list[dict[str, Any]], role: str, blocks: list[Json]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["content"].extend(blocks)
    elif blocks:
        turns.append({"role": role, "content": blocks})


def _cached(blocks: list[Json], message: Json) -> list[Json]:
    if blocks and message.get("cache_control"):
        blocks[-1] = _cache_one(blocks[-1], message)
    return blocks


def _cache_one(block: Json, message: Json) -> Json:
    mark = message.get("cache_control")
    return {**block, "cache_control": mark} if mark else block


def _assistant(message: Json, place: str, calls: dict[str, str]) -> list[Json]:
    # Anthropic wants its thinking back, signed, before everything else of the turn.
    blocks = [block for _, block in objects(message.get("thinking_blocks"), f"{place}.thinking_blocks")]
    blocks += _blocks(message.get("content") or message.get("refusal"), place)
    blocks += [_tool_use(call, where) for where, call in objects(message.get("tool_calls"), f"{place}.tool_calls")]
    older = object_or_none(message.get("function_call"), f"{place}.function_call")
    if older:
        name = text_of(older, "name", f"{place}.function_call")
        calls[name] = call_id = f"call_{len(calls)}_{name}"
        blocks.append(_tool_use({"id": call_id, "function": older}, f"{place}.function_call"))
    return blocks


def _tool_use(call: Json, place: str) -> Json:
    function = object_of(call.get("function"), f"{place}.function")
    block = {
        "type": "tool_use",
        "id": text_of(call, "id", place),
        "name": text_of(function, "name", f"{place}.function"),
        "input": arguments(function, f"{place}.function"),
    }
    return _cache_one(block, call)


def _tool_result(message: Json, place: str, calls: Mapping[str, str]) -> Json:
    call_id = word(message.get("tool_call_id")) or calls.get(word(message.get("name")))
    if not call_id:
        raise unfit(f"{place}.tool_call_id", "the call that this answers is not named")
    content = message.get("content")
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call_id}
    if content:
        block["content"] = content if isinstance(content, str) else _blocks(content, place)
    if "is_error" in message:
        block["is_error"] = message["is_error"]
    return block


def _blocks(content: Any, place: str) -> list[Json]:
    blocks = [_block(part, where) for where, part in parts(content, place)]
    return [block for block in blocks if block.get("text") != ""]  # an empty text is an error to Anthropic


def _block(part: Json, place: str) -> Json:
    kind = part.get("type")
    if kind == "image_url":
        return _with_extras({"type": "image", "source": _image_source(image_url(part), place)}, part, "image_url")
    if kind == "file":
        return _with_extras(_document(object_of(part.get("file"), f"{place}.file"), place), part, "file")
    if kind == "refusal":
        return {"type": "text", "text": part.get("refusal", "")}
    if kind == "input_audio":
        raise unfit(place, "Anthropic takes no audio")
    return part  # text, or a block that is Anthropic's already


def _with_extras(block: dict[str, Any], part: Json, converted: str) -> Json:
    block.update((name, value) for name, value in part.items() if name not in ("type", converted))
    return block


def _image_source(url: str, place: str) -> Json:
    image = data_url(url)
    if image is not None:
        return {"type": "base64", "media_type": image.media_type, "data": image.data}
    if url.startswith(("http://", "https://")):
        return {"type": "url", "url": url}
    raise unfit(f"{place}.image_url.url", "neither a base64 data URL nor an http URL")


def _document(file: Json, place: str) -> dict[str, Any]:
    document = data_url(word(file.get("file_data")))
    if document is None:
        raise unfit(f"{place}.file", "only files within the message, as a base64 data URL, can be sent")
    source = {"type": "base64", "media_type": document.media_type, "data": document.data}
    block: dict[str, Any] = {"type": "document", "source": source}
    if file.get("filename"):
        block["title"] = file["filename"]
    return block
