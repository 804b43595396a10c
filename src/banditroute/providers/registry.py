"""Which protocols there are, by the name that a configuration gives them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from banditroute.providers.protocol import Provider


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """How one provider departs from its protocol; what a protocol has no use for is ignored.

    Attributes:
        key_header: where OpenAI's protocol puts the key: a bearer token, or Azure's `api-key`.
        token_limit_field: what OpenAI's protocol calls the limit on the answer.
        ask_usage: whether OpenAI's protocol asks a stream to report usage.
        headers: further headers of every call.
        longest_answers: the longest answer of each upstream model, for protocols that want a limit with every call.
    """

    key_header: Literal["authorization", "api-key"] = "authorization"
    token_limit_field: Literal["as_given", "max_tokens", "max_completion_tokens"] = "as_given"
    ask_usage: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    longest_answers: tuple[tuple[str, int], ...] = ()


NO_OPTIONS = ProviderOptions()


class Kind(NamedTuple):
    """One protocol.

    Attributes:
        factory: makes it; imports it only then.
        default_base_url: where it is spoken unless the configuration says otherwise.
    """

    factory: Callable[[ProviderOptions], Provider]
    default_base_url: str


def provider_of(kind: str, options: ProviderOptions = NO_OPTIONS) -> Provider:
    """The protocol of that name.

    Raises:
        KeyError: there is none.
    """
    return KINDS[kind].factory(options)


def _openai(options: ProviderOptions) -> Provider:
    from banditroute.providers.openai import OpenAI

    return OpenAI(options.key_header, options.token_limit_field, options.ask_usage, options.headers)


def _anthropic(options: ProviderOptions) -> Provider:
    from banditroute.providers.anthropic import Anthropic

    return Anthropic(longest_answers=dict(options.longest_answers), headers=dict(options.headers))


def _gemini(options: ProviderOptions) -> Provider:
    from banditroute.providers.gemini import Gemini

    return Gemini(headers=dict(options.headers))


def _edenai(options: ProviderOptions) -> Provider:
    from banditroute.providers.edenai import ASK_METADATA, EdenAI

    headers = (ASK_METADATA, *options.headers)
    return EdenAI(options.key_header, options.token_limit_field, options.ask_usage, headers)


KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "openai": Kind(_openai, "https://api.openai.com/v1"),
        "anthropic": Kind(_anthropic, "https://api.anthropic.com"),
        "gemini": Kind(_gemini, "https://generativelanguage.googleapis.com"),
        "edenai": Kind(_edenai, "https://api.edenai.run/v3"),
    }
)
