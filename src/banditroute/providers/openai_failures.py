"""What the errors of OpenAI and of the servers that imitate it mean to the caller."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

import orjson

from banditroute.errors import (
    ContextOverflowError,
    KeyRefusedError,
    OverloadedError,
    ProviderError,
    QuotaSpentError,
    RateLimitedError,
    RejectedError,
    ServerFailedError,
    UnfitError,
)
from banditroute.providers.delays import retry_after_s, should_retry
from banditroute.providers.protocol import WireReply
from banditroute.providers.reading import count, listing, mapping, one_line, word
from banditroute.records import Json

_NO_HEADERS: Mapping[str, str] = {}
_LONGEST_ERROR_BYTES = 1 << 20
_PAGE = "html_page"

_BY_STATUS: Mapping[int, type[ProviderError]] = {
    401: KeyRefusedError,
    402: QuotaSpentError,
    403: KeyRefusedError,
    404: UnfitError,
    405: UnfitError,
    408: ServerFailedError,
    409: ServerFailedError,
    410: UnfitError,
    413: UnfitError,
    425: ServerFailedError,
    429: RateLimitedError,
    451: UnfitError,
    498: OverloadedError,
    499: ServerFailedError,
    503: OverloadedError,
    529: OverloadedError,
}

_STATUS_BY_WORD: Mapping[str, int] = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "insufficient_quota": 429,
    "permission_error": 403,
    "not_found_error": 404,
    "rate_limit_exceeded": 429,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}


class _Rule(NamedTuple):
    """A kind of error that its status alone does not tell: its code or its wording does."""

    kind: type[ProviderError]
    statuses: frozenset[int]
    codes: frozenset[str]
    wording: re.Pattern[str]


def _rule(kind: type[ProviderError], statuses: set[int], codes: str, *wordings: str) -> _Rule:
    wording = re.compile("|".join(wordings) or r"(?!)", re.IGNORECASE)
    return _Rule(kind, frozenset(statuses), frozenset(codes.split()), wording)


_RULES = (
    _rule(
        QuotaSpentError,
        {400, 403, 429},
        "insufficient_quota billing_hard_limit_reached billing_not_active insufficient_credits",
        r"insufficient (credit|balance|fund)",
        r"credit balance",
        r"key limit exceeded",
        r"(no|out of) credits",
        r"spend(ing)? limit",
    ),
    _rule(
        KeyRefusedError,
        {400},
        "invalid_api_key API_KEY_INVALID",
        r"(incorrect|invalid) api key",
        r"api key not valid",
    ),
    _rule(
        ContextOverflowError,
        {400, 413, 422, 500},
        "context_length_exceeded exceed_context_size_error string_above_max_length tokens_limit_reached "
        "max_tokens_exceeded token_limit_exceeded string_too_long 3051",
        r"maximum (context|prompt) length",  # OpenAI, vLLM, OpenRouter, Mistral, xAI
        r"context (length|size|window)",  # llama.cpp, Ollama, SGLang, LM Studio, OpenAI
        r"`?inputs`? tokens \+ `?max_new_tokens`?",  # Together, TGI
        r"`?inputs`? must have less than \d+ tokens",
        r"prompt_tokens .*must be less than max_seq_len",
        r"(prompt|input) (is )?too (long|large)",
        r"prompt exceeds max length",
        r"input is too large to process",  # llama.cpp, embeddings
        r"input token count .*exceeds",  # Gemini
        r"exceeded model token limit",  # Moonshot
        r"range of input length",  # DashScope
        r"reduce the length of the messages",  # Groq, Cerebras
        r"too many tokens",
    ),
    _rule(RateLimitedError, {402}, "openrouter_in_flight_budget"),  # money that calls in flight hold, not spent
    _rule(UnfitError, {429}, "", r"request too large"),  # larger than a whole minute's tokens: waiting does not help
    _rule(
        UnfitError,
        {403},
        "model_not_found content_policy_violation content_filter moderation_blocked unsupported_model "
        "model_permission_blocked_org model_permission_blocked_project",
        r"moderation",
        r"flagged",
        r"content.policy",
        r"access to (the )?model",
        r"model.*(region|country)",
        r"not allowed to (use|access) (the |this )?model",
    ),
    _rule(ServerFailedError, {403}, _PAGE),  # a firewall before the provider: the key is not to blame
    _rule(UnfitError, {500, 501}, "not_supported_error", r"input is not supported"),  # llama.cpp
    _rule(
        UnfitError,
        {400, 422},
        "unsupported_parameter unsupported_value model_not_found invalid_model model_decommissioned "
        "model_not_active content_policy_violation content_filter invalid_prompt tool_use_failed "
        "json_validate_failed extra_forbidden unknown_parameter",
        r"(not|n't) support",
        r"unsupported",
        r"unrecognized request argument",
        r"extra inputs are not permitted",
        r"model .*(not found|not exist|not available|decommissioned)",
        r"(invalid model\b|not a valid model)",
        r"not a multimodal model",
        r"at most \d+ (image|audio|video)",
        r"max_\w*tokens\W.*(too large|less than or equal|at most|<=|exceed)",
        r"tool choice requires",  # vLLM without its tool parser
        r"requires --jinja",  # llama.cpp without its templates
        r"no endpoints found",
        r"content management policy",  # Azure's filter; another provider may not share its view
    ),
)
"""First that fits. A refused prompt is unfit, not rejected: filters differ, and another provider may answer."""


class _Said(NamedTuple):
    message: str
    words: frozenset[str]
    code: str | None
    status: int | None


def reply_failure(reply: WireReply, now: float) -> ProviderError:
    """The error that a reply with a status of 400 or more stands for; now is seconds since the epoch."""
    said = _said(_error_body(reply.body))
    return _failure(said, reply.status, reply.headers, now)


def inner_failure(body: Json, headers: Mapping[str, str] = _NO_HEADERS, now: float = 0.0) -> ProviderError | None:
    """The error inside a reply of 200 or an event of a stream; None where it carries none.

    Args:
        body: the reply or the event.
        headers: the reply's, where they are known.
        now: seconds since the epoch, where the headers are known.
    """
    error = body.get("error")
    if error or body.get("object") == "error":
        said = _said(body)
        return _failure(said, said.status or 500, headers, now)
    for choice in listing(body.get("choices")):
        failed = mapping(choice)
        if failed.get("error") or failed.get("finish_reason") == "error":
            said = _said({"error": failed.get("error") or "the model failed while it answered"})
            return _failure(said, said.status or 500, headers, now)
    return None


def _failure(said: _Said, status: int, headers: Mapping[str, str], now: float) -> ProviderError:
    return _kind(said, status)(
        one_line(said.message) or _phrase(status),
        status=status,
        code=said.code,
        retry_after_s=retry_after_s(headers, now),
        retry=should_retry(headers),
    )


def _kind(said: _Said, status: int) -> type[ProviderError]:
    for rule in _RULES:
        if status in rule.statuses and (rule.codes & said.words or rule.wording.search(said.message)):
            return rule.kind
    return _BY_STATUS.get(status) or (ServerFailedError if status >= 500 else RejectedError)


def _error_body(data: bytes) -> Any:
    if len(data) > _LONGEST_ERROR_BYTES:
        return None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        text = data.decode("utf-8", "replace").strip()
        return {"type": _PAGE} if text.startswith("<") else text  # a page says no more than its status


def _said(body: Any) -> _Said:
    if isinstance(body, list):  # Gemini's imitation wraps the error in a list
        body = body[0] if body else None
    if isinstance(body, str):
        return _Said(body, frozenset(), None, None)
    said = mapping(body)
    error = said.get("error") or said
    if isinstance(error, str):
        message = word(said.get("message"))
        error = {**said, "message": f"{error}: {message}" if message else error}
    return _said_by(mapping(error))


def _said_by(error: Json) -> _Said:
    metadata = mapping(error.get("metadata"))
    detail = error.get("detail")
    parts = (_as_text(error.get("message")), _as_text(detail), _as_text(metadata.get("raw")))
    kinds = [mapping(item).get("type") for item in listing(detail)]
    given = (error.get("code"), error.get("type"), *kinds, metadata.get("limit_source"))
    named = [str(value) for value in given if isinstance(value, str | int)]
    return _Said(
        message=": ".join(part for part in parts if part),
        words=frozenset(named),
        code=next((name for name in sorted(named, key=str.isdecimal) if " " not in name), None),
        status=_status(error),
    )


def _as_text(value: object) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    problems = [word(mapping(item).get("msg")) for item in listing(value)]  # FastAPI's list of what is wrong
    return "; ".join(filter(None, problems)) or orjson.dumps(value, default=str).decode()


def _status(error: Json) -> int | None:
    code = error.get("code")
    number = int(code) if isinstance(code, str) and code.isdecimal() and len(code) == 3 else count(code)
    if number is not None and 400 <= number < 600:
        return number
    names = (word(code), word(error.get("type")))
    return next((_STATUS_BY_WORD[name] for name in names if name in _STATUS_BY_WORD), None)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "no reason given"
