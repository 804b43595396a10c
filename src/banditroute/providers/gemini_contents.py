"""A conversation in OpenAI's shape, as Gemini's `systemInstruction` and `contents`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from banditroute.providers.canonical_messages import arguments, data_url, image_url, parts, refuse_names
from banditroute.providers.checked import object_of, objects, text_of, unfit
from banditroute.providers.reading import mapping, word
from banditroute.records import Json

FOREIGN_CALL = "skip_thought_signature_validator"
"""What Google documents as the signature of a call that another model made: without any, the models that sign their own
calls refuse the conversation."""

_AUDIO: Mapping[str, str] = {"wav": "audio/wav", "mp3": "audio/mp3"}
_MEDIA: Mapping[str, str] = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "gif": "image/gif",
    "pdf": "application/pdf",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "mp4": "video/mp4",
}
_OWN_PARTS = ("inlineData", "inline_data", "fileData", "file_data", "functionCall", "functionResponse", "text")


class Conversation(NamedTuple):
    """What Gemini is sent of the messages: parts of the system's instruction, and turns whose roles alternate."""

    system: list[Json]
    turns: list[dict[str, Any]]


def conversation(messages: Iterable[Json], *, signed: bool) -> Conversation:
    """The messages, with those of the system first and results of tools in the user's turns.

    Args:
        messages: in OpenAI's shape.
        signed: whether the model wants the first call of each turn to bear a thought signature.

    Raises:
        UnfitError: a message says what Gemini has no way to say; its place is named.
    """
    said = Conversation([], [])
    names: dict[str, str] = {}  # Gemini wants the function's name beside the result of its call
    for index, message in enumerate(messages):
        place = f"messages[{index}]"
        role = message.get("role")
        if role in ("tool", "function"):
            _append(said.turns, "user", [_function_response(message, place, names)])
            continue
        refuse_names(message, place)
        if role in ("system", "developer"):
            said.system.extend(_parts(message.get("content"), place))
        elif role == "user":
            _append(said.turns, "user", _parts(message.get("content"), place))
        elif role == "assistant":
            _append(said.turns, "model", _model_parts(message, place, names, signed=signed))
        else:
            raise unfit(f"{place}.role", f"{role!r} is not known")
    return said


def _append(turns: list[dict[str, Any]], role: str, new: list[Json]) -> None:
    if turns and turns[-1]["role"] == role:
        turns[-1]["parts"].extend(new)
    elif new:
        turns.append({"role": role, "parts": new})


def _model_parts(message: Json, place: str, names: dict[str, str], *, signed: bool) -> list[Json]:
    said = _parts(message.get("content") or message.get("refusal"), place)
    made = objects(message.get("tool_calls"), f"{place}.tool_calls")
    calls = [_function_call(call, where, names) for where, call in made]
    if message.get("function_call"):
        calls.append(_function_call({"function": message["function_call"]}, f"{place}.function_call", names))
    if signed and calls and "thoughtSignature" not in calls[0]:
        calls[0]["thoughtSignature"] = FOREIGN_CALL
    return [*said, *calls]


def _function_call(call: Json, place: str, names: dict[str, str]) -> dict[str, Any]:
    function = object_of(call.get("function"), f"{place}.function")
    name = text_of(function, "name", f"{place}.function")
    made: dict[str, Any] = {"name": name, "args": arguments(function, f"{place}.function")}
    call_id = word(call.get("id"))
    if call_id:
        made["id"] = call_id
        names[call_id] = name
    part: dict[str, Any] = {"functionCall": made}
    signature = _signature(call)
    if signature:
        part["thoughtSignature"] = signature
    return part


def _signature(call: Json) -> Any:
    return mapping(mapping(call.get("extra_content")).get("google")).get("thought_signature")


def _function_response(message: Json, place: str, names: Mapping[str, str]) -> Json:
    call_id = word(message.get("tool_call_id"))
    name = names.get(call_id) or word(message.get("name"))
    if not name:
        raise unfit(f"{place}.tool_call_id", "no call before it has this id")
    response: dict[str, Any] = {"name": name, "response": _response(message.get("content"), place)}
    if call_id:
        response["id"] = call_id
    return {"functionResponse": response}


def _response(content: Any, place: str) -> Json:
    text = "".join(_text(part, where) for where, part in parts(content, place))
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"output": text}
    if not isinstance(value, dict):
        return {"output": text}  # as it was written, or 1e3 would become 1000
    # Gemini reads `output` and `error` in a special way, so a result that has them goes inside one.
    return {"output": value} if value.keys() & {"output", "error"} else value


def _text(part: Json, place: str) -> str:
    if part.get("type", "text") != "text":
        raise unfit(place, "a tool's result has to be text")
    return word(part.get("text"))


def _parts(content: Any, place: str) -> list[Json]:
    return [_part(part, where) for where, part in parts(content, place)]


def _part(part: Json, place: str) -> Json:
    match part.get("type"):
        case "text":
            return {"text": word(part.get("text"))}
        case "refusal":
            return {"text": word(part.get("refusal"))}
        case "image_url":
            return _media(image_url(part), f"{place}.image_url.url")
        case "input_audio":
            return _audio(object_of(part.get("input_audio"), f"{place}.input_audio"), place)
        case "file":
            file = object_of(part.get("file"), f"{place}.file")
            return _media(word(file.get("file_data")), f"{place}.file.file_data")
        case _ if any(name in part for name in _OWN_PARTS):
            return part  # Gemini's already
        case kind:
            raise unfit(place, f"Gemini has no part of type {kind!r}")


def _media(url: str, place: str) -> Json:
    inline = data_url(url)
    if inline is not None:
        return {"inlineData": {"mimeType": inline.media_type, "data": inline.data}}
    if not url.startswith(("http://", "https://", "gs://")):
        raise unfit(place, "neither a base64 data URL nor an http URL")
    file = {"fileUri": url}
    kind = _MEDIA.get(url.partition("?")[0].rpartition(".")[2].lower())
    if kind:
        file["mimeType"] = kind
    return {"fileData": file}


def _audio(audio: Json, place: str) -> Json:
    kind = _AUDIO.get(word(audio.get("format")))
    if kind is None:
        raise unfit(f"{place}.input_audio.format", f"{audio.get('format')!r} is not known")
    return {"inlineData": {"mimeType": kind, "data": audio.get("data") or ""}}
